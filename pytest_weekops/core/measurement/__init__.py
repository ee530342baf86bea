"""What is asked for and what was measured: plan, schedule, records, and the numbers drawn from them.

Private: import from `pytest_weekops.api`.
"""
