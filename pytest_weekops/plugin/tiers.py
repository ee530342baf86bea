"""Tiers: which tests a run takes along, and where the shipped suites are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.files.shipped import data_dir
from pytest_weekops.plugin.options import TIERS, Options
from pytest_weekops.plugin.root import refuse_wrong_root
from pytest_weekops.plugin.spellings import Spellings, long_name

_LEFT_OUT = {"cpu-fast": ("device", "slow"), "canonical": ("slow",), "full": ()}


def suites_dir(config: pytest.Config) -> Path:
    """The shipped suites: the project's own ``suites`` where it has them, else those in the package."""
    own = config.rootpath / "suites"
    return own if (own / "canonical").is_dir() else data_dir("suites")


def configure(config: pytest.Config) -> None:
    """Add the canonical suite for ``--tier`` and ``--driver-smoke``, and refuse to measure under xdist.

    ``--tier canonical`` and ``--driver-smoke`` ask whether this machine is sane. Without a path they run that suite and
    nothing else: whoever wants other tests along names them.
    """
    options = Options(config)
    tier, smoke = options.asked("tier"), options.given("driver-smoke")
    if (tier or smoke) and _parallel(config):
        raise pytest.UsageError(PARALLEL_SENTENCE)
    if tier or smoke:
        options.refuse_strangers()
    for name in ("sizes", "seeds", "kernels", "required-sizes", "platforms"):
        options.words(name)
    refuse_wrong_root(config)
    if options.text("mode") == "ci":
        config.option.color = "no"
    suite = asked_suite(config)
    if suite is None or hasattr(config, "workerinput"):
        return
    if tier in (None, "canonical") and config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = [str(suite)]
    elif not _covered(config, suite):
        config.args.append(str(suite))


def asked_suite(config: pytest.Config) -> Path | None:
    """What ``--tier`` and ``--driver-smoke`` add to the paths; None without them."""
    options = Options(config)
    tier, smoke = options.asked("tier"), options.given("driver-smoke")
    suite = suites_dir(config) / "canonical"
    if smoke and tier in (None, "cpu-fast"):
        return suite / "test_driver_smoke.py"
    if tier == "cpu-fast":
        return suite / "test_schemas.py"
    return suite if tier else None


def not_asked(config: pytest.Config) -> str | None:
    """A line where ``--tier`` or ``--driver-smoke`` were typed with our words and belong to another plugin here."""
    options, spellings = Options(config), Spellings.of(config)
    typed = [name for name in ("tier", "driver-smoke") if spellings.foreign(name) is not None]
    if options.asked("tier") or options.given("driver-smoke") or not typed:
        return None
    if "driver-smoke" not in typed and spellings.foreign("tier") not in TIERS:
        return None
    long = " ".join(map(long_name, typed))
    return f"weekops: {' and '.join(f'--{name}' for name in typed)} went to another plugin; the gate's is {long}"


def _covered(config: pytest.Config, suite: Path) -> bool:
    """Whether the arguments collect this suite already (a packaged one, in a venv below the root, only by name)."""
    named = [Path(config.invocation_params.dir, word.split("::")[0]).resolve() for word in config.args]
    own = suite.is_relative_to(config.rootpath / "suites")
    return suite.resolve() in named or (own and any(suite.is_relative_to(path) for path in named))


PARALLEL_SENTENCE = (
    "pytest-xdist (-n) was asked to run a campaign. Two things timed on one device at once falsify each other. "
    "Run the campaign without -n, or with -n0."
)


def _parallel(config: pytest.Config) -> bool:
    return bool(config.getoption("numprocesses", None)) or config.getoption("dist", "no") != "no"


def is_parallel(config: pytest.Config) -> bool:
    """Whether this process is, or commands, an xdist worker."""
    return hasattr(config, "workerinput") or _parallel(config)


def deselect(config: pytest.Config, items: list[pytest.Item]) -> list[pytest.Item]:
    """Take out the items that the tier leaves out, tell pytest so, and return them."""
    left_out = _LEFT_OUT.get(Options(config).asked("tier") or "full", ())
    gone = [item for item in items if any(item.get_closest_marker(name) for name in left_out)]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in gone]
    return gone
