"""How the generated parts of the pages are made; ``docs/generate.py`` puts them in."""
