"""Files that are whole or absent, read strictly; shipped data and kernel catalogues.

Private: import from `pytest_weekops.api`.
"""
