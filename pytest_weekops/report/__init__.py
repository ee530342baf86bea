"""One report format per module, each made from records and a verdict.

Private: import from `pytest_weekops.api`.
"""
