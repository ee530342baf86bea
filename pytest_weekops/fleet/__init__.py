"""One gate on many hosts: what a host runs, how its journal comes back, and who keeps it. Dask is named here only.

Private: import from `pytest_weekops.api`.
"""
