"""Worker processes as the controller sees them: protocol, framing, process, supervisor and the device lock.

Private: import from `pytest_weekops.api`.
"""
