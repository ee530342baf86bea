"""What lies on disk and is believed only after reading: journals, recorded campaigns, baselines, tunings.

Private: import from `pytest_weekops.api`.
"""
