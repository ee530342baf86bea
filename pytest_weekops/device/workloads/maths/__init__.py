"""The built-in math functions of OpenCL C (full profile, float), each held against its limit in ULP.

Private: import from `pytest_weekops.api`.
"""
