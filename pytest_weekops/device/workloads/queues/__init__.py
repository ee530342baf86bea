"""What a host asks of a queue beside kernels: copies, fills, maps, sub-buffers, events, callbacks and shared memory.

Private: import from `pytest_weekops.api`.
"""
