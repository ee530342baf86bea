"""Which variant is launched: the static choice, T3's online one, and tuned build parameters.

Private: import from `pytest_weekops.api`.
"""
