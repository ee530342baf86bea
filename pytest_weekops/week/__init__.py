"""The week: its ledger, its evidence hashed anew, its closing with acta and decision, and its alert.

Private: import from `pytest_weekops.api`.
"""
