"""The public names: what suites, hooks and scripts of your own may import.

``docs/reference/public-api.md`` says what each is.

Beside it stand ``pytest_weekops.operation``, which the file of an operation of your own imports in a worker, and what
pytest finds by itself: fixtures, hooks, markers, options. Every other module is private and moves without notice.

A name is imported when it is first asked for: a ``conftest.py`` that needs one loads no more than that, and a script
that opens a run loads no pytest.
"""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_weekops.core.errors import DeviceError, InputError, PolicyError, WeekopsError
    from pytest_weekops.core.guard.injection import Injection
    from pytest_weekops.core.judge.finding import Finding, Verdict
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.core.measurement.records import Case, DeviceIdentity, GateRecord, Measurement, MeasurementStatus
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.drivers.platforms import load_profiles, resolve_platforms
    from pytest_weekops.evidence.journal import read_journal
    from pytest_weekops.files.catalog import variant_names
    from pytest_weekops.files.shipped import data_dir
    from pytest_weekops.plugin.failure import GateFailure, GateSkip
    from pytest_weekops.plugin.inject_session import CONTROLS, Control, Injector
    from pytest_weekops.plugin.options import report_directory
    from pytest_weekops.plugin.session import GateSession
    from pytest_weekops.policies.files import load_policy, policy_files
    from pytest_weekops.report.decision import artifact
    from pytest_weekops.report.decision import schema as decision_schema
    from pytest_weekops.run.conclusion import Conclusion, conclude, end_suite
    from pytest_weekops.run.live import Run
    from pytest_weekops.run.opening import open_run
    from pytest_weekops.run.problems import GateProblems
    from pytest_weekops.run.request import RunRequest
    from pytest_weekops.run.whole import measure_plan

__all__ = [
    "CONTROLS",
    "CampaignPlan",
    "Case",
    "Conclusion",
    "Control",
    "DeviceError",
    "DeviceIdentity",
    "Finding",
    "GateFailure",
    "GateProblems",
    "GateRecord",
    "GateSession",
    "GateSkip",
    "Injection",
    "Injector",
    "InputError",
    "Measurement",
    "MeasurementStatus",
    "Policy",
    "PolicyError",
    "Run",
    "RunRequest",
    "Verdict",
    "WeekopsError",
    "artifact",
    "conclude",
    "data_dir",
    "decision_schema",
    "end_suite",
    "load_policy",
    "load_profiles",
    "measure_plan",
    "open_run",
    "policy_files",
    "read_journal",
    "report_directory",
    "resolve_platforms",
    "variant_names",
]

_PLACES = {
    "CONTROLS": "plugin.inject_session:CONTROLS",
    "CampaignPlan": "core.measurement.plan:CampaignPlan",
    "Case": "core.measurement.records:Case",
    "Conclusion": "run.conclusion:Conclusion",
    "Control": "plugin.inject_session:Control",
    "DeviceError": "core.errors:DeviceError",
    "DeviceIdentity": "core.measurement.records:DeviceIdentity",
    "Finding": "core.judge.finding:Finding",
    "GateFailure": "plugin.failure:GateFailure",
    "GateProblems": "run.problems:GateProblems",
    "GateRecord": "core.measurement.records:GateRecord",
    "GateSession": "plugin.session:GateSession",
    "GateSkip": "plugin.failure:GateSkip",
    "Injection": "core.guard.injection:Injection",
    "Injector": "plugin.inject_session:Injector",
    "InputError": "core.errors:InputError",
    "Measurement": "core.measurement.records:Measurement",
    "MeasurementStatus": "core.measurement.records:MeasurementStatus",
    "Policy": "core.policy.policy:Policy",
    "PolicyError": "core.errors:PolicyError",
    "Run": "run.live:Run",
    "RunRequest": "run.request:RunRequest",
    "Verdict": "core.judge.finding:Verdict",
    "WeekopsError": "core.errors:WeekopsError",
    "artifact": "report.decision:artifact",
    "conclude": "run.conclusion:conclude",
    "data_dir": "files.shipped:data_dir",
    "decision_schema": "report.decision:schema",
    "end_suite": "run.conclusion:end_suite",
    "load_policy": "policies.files:load_policy",
    "load_profiles": "drivers.platforms:load_profiles",
    "measure_plan": "run.whole:measure_plan",
    "open_run": "run.opening:open_run",
    "policy_files": "policies.files:policy_files",
    "read_journal": "evidence.journal:read_journal",
    "report_directory": "plugin.options:report_directory",
    "resolve_platforms": "drivers.platforms:resolve_platforms",
    "variant_names": "files.catalog:variant_names",
}


if not TYPE_CHECKING:  # a type checker that saw this would take every misspelt name for an object

    def __getattr__(name: str) -> object:
        """Import one public name from wherever it lives now."""
        if name not in _PLACES:
            raise AttributeError(
                f"module {__name__!r} has no attribute {name!r}; docs/reference/public-api.md lists what it has"
            )
        return resolve_name(f"pytest_weekops.{_PLACES[name]}")


def __dir__() -> list[str]:
    return __all__
