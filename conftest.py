"""Marks the root of the project's own tests; what they need is in ``pyproject.toml``.

Nothing may be declared here that pytest allows at its root only: a project elsewhere that takes the suites from this
checkout reads this file too.
"""
