"""What a run is asked with a stated error: floors, ratios, percentiles and drifts, each answered look by look.

Private: import from `pytest_weekops.api`.
"""
