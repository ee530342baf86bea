"""The hooks, each a line or two; the work is done in ``session`` once there is something to do."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_weekops.plugin import tiers
from pytest_weekops.plugin.asked import refuse_unknown_demand
from pytest_weekops.plugin.last_word import LastWord
from pytest_weekops.plugin.options import add_options
from pytest_weekops.plugin.sessions import active_gate, active_injection, gate_session, inject_session

MARKERS = (
    "weekops_campaign(kind, kernels=(), channel=): items of this test belong to a campaign: canonical, weekly or split",
    "weekops_injection: items of this test plant faults, one per platform and size; no verdict comes of them",
    "weekops_gate_name(name): the canonical tier's gate that this test is, one per platform",
    "device: needs an OpenCL device; left out of --tier cpu-fast",
    "slow: takes minutes; part of --tier full only (and of runs without --tier)",
)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Register options, ini values and fixtures.

    A list ``pytest_plugins`` would have pytest read the entry points of everything that is installed, once more.
    """
    from pytest_weekops.plugin import fixtures

    pluginmanager.register(fixtures, fixtures.__name__)
    add_options(parser, pluginmanager)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the hook specifications."""
    from pytest_weekops.plugin import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Register markers, refuse what can be refused by now, and add the tier's paths."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    refuse_unknown_demand(config)
    tiers.configure(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say where a tier was asked for in words that are another plugin's here."""
    return tiers.not_asked(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make the items of a campaign test from the options."""
    if metafunc.definition.get_closest_marker("weekops_campaign") is not None:
        gate_session(metafunc.config).items.parametrize(metafunc)
    elif metafunc.definition.get_closest_marker("weekops_injection") is not None:
        inject_session(metafunc.config).parametrize(metafunc)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, None, None]:
    """Leave out what the tier leaves out, and bring campaign items into measuring order, whoever shuffles after us."""
    if inject := active_injection(config):
        inject.arrange(beside_gate=active_gate(config) is not None)
    gone = tiers.deselect(config, items)
    if session := active_gate(config):
        session.attendance.left_out_by_tier(gone)
        session.items.arrange(items)
    yield
    if session := active_gate(config):
        session.items.sort(items)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Expect each campaign item, before anybody's hook can drop it."""
    if session := active_gate(item.config):
        session.attendance.collected(item)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count campaign items that somebody deselected: for the judge they are missing evidence."""
    if items and (session := active_gate(items[0].config)):
        session.items.note_deselected(items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Generator[None, None, None]:
    """Register who has the last word, after everybody who is loaded by then: a hook of the latest is the outermost."""
    word = LastWord(early_config)
    with word.over_conftests(args):
        yield
    early_config.pluginmanager.register(word)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Start workers and journal before the first item, so that a missing driver stops the run with status 4."""
    options = (getattr(session.config.option, name, False) for name in ("collectonly", "setupplan", "setuponly"))
    if session.testsfailed or any(options):  # a part of pytest that -p no: left out has no option
        return
    if gate := active_gate(session.config):
        gate.open(session.items)
    inject = active_injection(session.config)
    if inject and session.items:
        inject.open()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Let progress lines take over from file headers when the first campaign item runs."""
    if (session := active_gate(item.config)) and item.get_closest_marker("weekops_campaign") is not None:
        session.progress.quiet_headers()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell a failure that the journal explains from one that it does not."""
    report = yield
    if session := active_gate(item.config):
        session.note_report(item, call, report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> tuple[str, str, str] | None:
    """Print no dot for a campaign item: the progress lines say more."""
    session = active_gate(config)
    return session.teststatus(report) if session else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> Generator[None, None, None]:
    """Judge, write the artifacts, and set the exit status, before any report is written."""
    if gate := active_gate(session.config):
        session.exitstatus = gate.finish(int(exitstatus))
    if inject := active_injection(session.config):
        session.exitstatus = inject.finish(int(exitstatus))
    return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print table, findings, verdict and what to do next."""
    if gate := active_gate(terminalreporter.config):
        gate.print_summary(terminalreporter)
    if inject := active_injection(terminalreporter.config):
        inject.print_summary(terminalreporter.write_line)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop workers whatever happened, and print the machine-readable line last."""
    if gate := active_gate(config):
        gate.close()
    if inject := active_injection(config):
        inject.close()


@pytest.hookimpl(optionalhook=True)
def pytest_json_modifyreport(json_report: dict[str, object]) -> None:
    """Put the verdict into pytest-json-report's document."""
    from pytest_weekops.plugin.session import current_verdict_document

    document = current_verdict_document()
    if document is not None:
        json_report["weekops"] = document
