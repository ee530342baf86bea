"""The T5 guard: its algebra, its settings, what it cost and found, and what it is known to catch.

Private: import from `pytest_weekops.api`.
"""
