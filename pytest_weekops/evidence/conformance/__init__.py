"""Results of conformance suites on disk: what others wrote, read as a stranger's, and what is kept of it.

Private: import from `pytest_weekops.api`.
"""
