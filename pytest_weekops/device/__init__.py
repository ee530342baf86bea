"""OpenCL and numpy: everything that touches a driver. Imported by worker processes only.

Private: import from `pytest_weekops.api`.
"""
