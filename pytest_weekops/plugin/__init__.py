"""All that knows pytest: the entry point ``weekops`` of ``pytest11``, and the hooks behind it.

This package is imported in every pytest run of everyone who has it installed. It must stay cheap, and it must never
import an OpenCL driver: workers do that.

Private: import from `pytest_weekops.api`.
"""

from __future__ import annotations

from pytest_weekops.plugin.hooks import (
    pytest_addhooks,
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_deselected,
    pytest_generate_tests,
    pytest_itemcollected,
    pytest_json_modifyreport,
    pytest_load_initial_conftests,
    pytest_report_header,
    pytest_report_teststatus,
    pytest_runtest_makereport,
    pytest_runtest_protocol,
    pytest_runtestloop,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_unconfigure,
)

__all__ = [
    "pytest_addhooks",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_deselected",
    "pytest_generate_tests",
    "pytest_itemcollected",
    "pytest_json_modifyreport",
    "pytest_load_initial_conftests",
    "pytest_report_header",
    "pytest_report_teststatus",
    "pytest_runtest_makereport",
    "pytest_runtest_protocol",
    "pytest_runtestloop",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_unconfigure",
]
