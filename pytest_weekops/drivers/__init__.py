"""Platform profiles: from a name on the command line to a launch. No driver is loaded here.

Private: import from `pytest_weekops.api`.
"""
