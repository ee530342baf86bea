"""The page of a fleet run: its values, its pictures, and the HTML around them.

Private: import from `pytest_weekops.api`.
"""
