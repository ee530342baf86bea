"""One live run, without pytest: opened from a request, measured case by case, concluded in a verdict.

Private: import from `pytest_weekops.api`.
"""
