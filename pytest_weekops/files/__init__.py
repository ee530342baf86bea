"""Files that are whole or absent, read strictly; shipped data and kernel catalogues."""
