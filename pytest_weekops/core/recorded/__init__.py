"""Campaigns recorded by somebody else: their normal form, the older rules exactly, and the strict ones beside them.

Private: import from `pytest_weekops.api`.
"""
