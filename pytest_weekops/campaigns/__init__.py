"""Searches over workers that end in a file and not in a verdict: tuning and fault campaigns.

Private: import from `pytest_weekops.api`.
"""
