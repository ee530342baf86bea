"""The site of a report directory: its values, its picture, and the HTML around them.

Private: import from `pytest_weekops.api`.
"""
