"""Which build of a ladder is the first bad one: order, search, what a step says, and how sure the answer is.

Private: import from `pytest_weekops.api`.
"""
