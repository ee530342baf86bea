"""The weekly gate for OpenCL drivers: measure, guard and judge whether a driver may be promoted."""

__version__ = "0.1.0"
