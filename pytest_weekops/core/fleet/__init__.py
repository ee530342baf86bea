"""A fleet of hosts: what its file says, what became of each host, the verdict over them, and stages. Pure.

Private: import from `pytest_weekops.api`.
"""
