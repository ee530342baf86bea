"""From policy and campaign to a verdict: checks, findings, severity. Total, and monotone in the evidence.

Private: import from `pytest_weekops.api`.
"""
