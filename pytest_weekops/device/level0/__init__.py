"""Level 0 as operations: items of ``weekops peak`` that policies and baselines can have rows for; loads no driver.

Private: import from `pytest_weekops.api`.
"""
