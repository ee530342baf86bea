"""How sure an answer is: bounds from a few snapshots, looks that keep a stated error, and what more would decide.

Pure, standard library only. Values are logarithms of throughput ratios, one a snapshot in snapshot order, larger is
better; a ceiling is asked for with its signs turned. Private: import from `pytest_weekops.api`.
"""
