"""Policies on disk: strict YAML with inheritance, the older JSON files, and the limits of limits.

Private: import from `pytest_weekops.api`.
"""
