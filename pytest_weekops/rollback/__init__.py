"""The only room that changes the host: what to switch to, the switch, and the proof that it works.

Private: import from `pytest_weekops.api`.
"""
