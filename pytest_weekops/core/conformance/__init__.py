"""What a suite that somebody else wrote found of a driver: its results, whose they are, and what changed between two.

Private: import from `pytest_weekops.api`.
"""
