"""The week in records: ledger entries, the channel, attempts, tracks, the closing record, rollbacks. Pure.

Private: import from `pytest_weekops.api`.
"""
