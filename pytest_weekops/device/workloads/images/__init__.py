"""Images through samplers: every filter and address mode of OpenCL 1.2, against a sampler on the host.

Private: import from `pytest_weekops.api`.
"""
