"""The page of a run: what it shows as plain values, its pictures, and the HTML around them.

Private: import from `pytest_weekops.api`.
"""
