"""The project's own pytest configuration: pytester for the plugin's tests."""

pytest_plugins = ["pytester"]
