"""Pure parts: records, schedule, statistics, policy and the judge. No I/O, no clock, no environment, no driver.

Private: import from `pytest_weekops.api`.
"""
