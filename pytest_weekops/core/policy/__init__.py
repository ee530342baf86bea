"""The policy: every limit a verdict rests on, as data; comparing two, tightening one.

Private: import from `pytest_weekops.api`.
"""
