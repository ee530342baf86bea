"""Command line and ini options of the plugin, and the sentences that refuse bad values.

Each has a name of its own (``--weekops-sizes``); ``spellings.py`` lends it its short one where nobody else has that.

Sizes, seeds and the like are taken as text and parsed here, so that every refusal says what, where and what to do,
and so that a path swallowed by a list option is recognised for what it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.plugin.reasons import REASONS
from pytest_weekops.plugin.spellings import PLUGIN_NAME, Spellings, long_name

REQUIRED_KINDS = ("canonical", "weekly", "split", "none")
TIERS = ("cpu-fast", "canonical", "full")
PHASES = (
    *("import", "enumerate", "context", "first-build", "build", "upload"),
    *("warm-up", "launch", "read-back", "verify", "send", "close"),
)

# name, aliases, keyword arguments of argparse, (ini type, ini help) or None
_LISTS: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    ("platforms", (), "NAME", "platform profiles to measure, NAME or NAME@ICD-PATH (default: auto, the best device)"),
    (
        "kernels",
        (),
        "MODE",
        (
            "variants, auto, auto_t3_controlled, auto_t5_guarded, or sets of them: all, default, images, level0, "
            "level1, math, queues (default: the suite's own)"
        ),
    ),
    ("sizes", (), "N", "problem sizes (default: 1400 2048)"),
    ("seeds", ("--seed",), "N", "seeds of the problem data (default: 11)"),
    (
        "evidence",
        (),
        "SUITE",
        "results of conformance suites that the verdict takes in: piglit, cts, deqp, junit, as kept, or SUITE=PATH",
    ),
    ("required-sizes", (), "N", "split: sizes that must be there on both platforms (default: all)"),
)
_SINGLES: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    ("device", (), "PATTERN", "regular expression that picks the device of each platform"),
    ("snapshots", (), "N", "rounds in which every cell is measured once, at least (default: 3)"),
    ("max-snapshots", (), "N", "rounds at most, where what is measured does not decide (default: 12)"),
    ("snapshot-interval", (), "SECONDS", "time between the starts of two snapshots (default: 0)"),
    ("snapshot-interval-minutes", (), "N", "the same in minutes"),
    ("sessions", (), "N", "sessions of fresh data per case (default: 2)"),
    ("iterations", (), "N", "timed launches per session, at least (default: 10)"),
    ("session-ms", (), "MS", "what a session's timed launches fill at least, up to 200 launches (default: 1000)"),
    ("pressure-size", (), "N", "GEMM size of a pressure pulse (default: 896)"),
    ("pressure-iterations", (), "N", "launches per pressure pulse (default: 3)"),
    (
        "pressure-pulses",
        ("--pressure-pulses-per-snapshot", "--pressure-pulses-per-seed"),
        "N",
        "pressure pulses per snapshot and platform (default: 3)",
    ),
    ("policy", ("--policy-path",), "PATH", "policy, YAML or the older JSON (default: the shipped portable.yaml)"),
    (
        "t3-policy",
        ("--t3-policy-path",),
        "PATH",
        "older T3 JSON policy: its settings come before the policy's selector",
    ),
    ("t5-policy", ("--t5-policy-path",), "PATH", "older T5 JSON policy: its settings come before the policy's guard"),
    (
        "baseline",
        ("--baseline-path", "--baseline-block3-path"),
        "PATH",
        "pinned baseline (default: the one pinned for this device, if any)",
    ),
    (
        "against",
        (),
        "NAME",
        "weekly: the driver in service, NAME or NAME@PATH, measured in turns; floors are ratios to it",
    ),
    (
        "expectations",
        (),
        "PATH",
        "known faults of drivers, which are left out by name (default: the shipped file, which has none)",
    ),
    ("report-dir", ("--output-dir",), "DIR", "where run directories go (default: reports)"),
    ("tuning", (), "DIR", "tuning files of `weekops tune`, or off (default: tuning/ in the report directory)"),
    ("report-prefix", ("--output-prefix",), "NAME", "first part of the run directory's name (default: the kind)"),
    ("validation-report-dir", (), "DIR", "of the older weekly line; not used: a run keeps its gates' records itself"),
    ("baseline-platform", (), "NAME", "split: the driver in service (default: clover)"),
    ("candidate-platform", (), "NAME", "split: the driver that wants to be (default: rusticl)"),
    ("min-rusticl-ratio", ("--ratio-floor",), "R", "split: least candidate / baseline throughput (default: 0.85)"),
)
_CHOICES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("pressure-mode", ("before", "during"), "pressure pulses before each snapshot, or between the launches"),
    ("mode", ("local", "ci"), "ci: no colours, no prompts, a machine-readable summary line last"),
    (
        "require-verdict",
        REQUIRED_KINDS,
        "never end with 0 without a canonical, weekly, split verdict; none: nor because tests were merely collected",
    ),
    (
        "reference-driver",
        ("auto", "off", "on", "intel", "pocl-embedded"),
        (
            "weekly, on a CPU: who takes turns with each driver as its clock; auto: Intel's runtime, else PoCL's "
            "wheel, else nobody; on: one of them, or the run is refused; intel, pocl-embedded: that one; off: nobody "
            "(default: auto)"
        ),
    ),
    ("rollback", ("never", "plan", "auto"), "what to do at SEV1 (default: what the policy says)"),
)
# pytest puts both spellings, each with its value, into one line, however wide that is: these choices do not fit
_METAVARS = {"require-verdict": "KIND", "reference-driver": "WHO"}


def short_spellings() -> dict[str, tuple[str, ...]]:
    """The short spellings of each option, the usual one first and older ones behind it."""
    older = {name: aliases for name, aliases, _metavar, _text in (*_LISTS, *_SINGLES)}
    own = ("tier", "driver-smoke", "cold", "resume", "aa")
    others = (row[0] for row in (*REASONS, *_CHOICES))
    names = (*own, *older, *others, *(f"deadline-{p}" for p in PHASES))
    return {name: (f"--{name}", *older.get(name, ())) for name in names}


def add_options(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the option group ``weekops`` and its ini defaults (``weekops_<name>``), and who settles the spelling."""
    pluginmanager.register(Spellings(short_spellings()), PLUGIN_NAME)
    group = parser.getgroup("weekops", "OpenCL driver validation")

    def add(name: str, **attributes: Any) -> None:
        group.addoption(long_name(name), dest=_dest(name), **attributes)

    add(
        "tier",
        choices=TIERS,
        help="which tests: without a device, the canonical gate, or all, with kernels under Oclgrind",
    )
    add("driver-smoke", action="store_true", help="add one driver smoke item per platform")
    add("cold", metavar="N", help="driver smoke: open each driver N times, each time in a fresh process")
    add("resume", metavar="RUN", help="go on with a run that was broken off: measure what it lacks, judge the whole")
    add("aa", action="store_true", help="split: one driver against itself, to see what noise this machine has")
    for name, _older, metavar, text in _LISTS:
        add(name, nargs="+", metavar=metavar, help=text)
    for name, _older, metavar, text in _SINGLES:
        add(name, metavar=metavar, help=text)
    for name, metavar, text in REASONS:
        add(name, metavar=metavar, help=text)
    for name, choices, text in _CHOICES:
        add(name, choices=choices, metavar=_METAVARS.get(name), help=text)
    for phase in PHASES:
        stay = (
            "first stay of a worker in the phase build"
            if phase == "first-build"
            else f"stay of a worker in the phase {phase}"
        )
        add(f"deadline-{phase}", metavar="SECONDS", help=f"longest {stay}")
    _add_ini_values(parser)


def _add_ini_values(parser: pytest.Parser) -> None:
    for name, _older, _metavar, text in _LISTS:
        parser.addini(_dest(name), text, type="args", default=[])
    for name, _older, _metavar, text in _SINGLES:
        parser.addini(_dest(name), text, default="")
    for name, _choices, _text in _CHOICES:
        parser.addini(_dest(name), f"default of {long_name(name)}", default="")
    parser.addini(
        "weekops_kernel_dirs", "directories with a catalog.yaml of your own kernels", type="paths", default=[]
    )
    parser.addini("weekops_platform_files", "YAML files with platform profiles of your own", type="paths", default=[])


def _dest(name: str) -> str:
    return "weekops_" + name.replace("-", "_")


class Options:
    """Typed access to one option: command line first, then ini, then the default given."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def said(self, name: str) -> str:
        """How to name the option in a sentence: as it was typed, else as it can be typed here."""
        return Spellings.of(self._config).said(name)

    def given(self, name: str) -> bool:
        """Whether the option stands on the command line."""
        return bool(self._config.getoption(_dest(name), None))

    def asked(self, name: str) -> str | None:
        """The option as it stands on the command line, or None where it does not."""
        value = self._config.getoption(_dest(name), None)
        return str(value) if value else None

    def refuse_strangers(self) -> None:
        """Refuse a campaign on a command line that has an option of ours in a spelling that is another plugin's."""
        if refusal := Spellings.of(self._config).refusal():
            raise pytest.UsageError(refusal)

    def text(self, name: str) -> str | None:
        """The option as text, or None where it is nowhere."""
        value = self._config.getoption(_dest(name), None) or self._config.getini(_dest(name))
        return str(value) if value else None

    def words(self, name: str) -> list[str]:
        """A list option, refusing a path that it swallowed."""
        value = self._config.getoption(_dest(name), None) or self._config.getini(_dest(name))
        words = [str(word) for word in value]
        self._refuse_swallowed_path(name, words)
        return words

    def typed(self, name: str) -> str | None:
        """The option as it was typed, be it empty; None where it does not stand on the command line."""
        value = self._config.getoption(_dest(name), None)
        return None if value is None else str(value)

    def integer(self, name: str, default: int, *, least: int = 0) -> int:
        """A whole number of at least ``least``."""
        text = self.text(name)
        return default if text is None else parse_integer(self.said(name), text, least=least)

    def number(self, name: str, default: float, *, least: float = 0.0) -> float:
        """A finite number of at least ``least``."""
        text = self.text(name)
        return default if text is None else parse_number(self.said(name), text, least=least)

    def integers(self, name: str, default: Sequence[int], *, least: int = 0) -> tuple[int, ...]:
        """Whole numbers, each once, in the order given."""
        words = self.words(name)
        values = [parse_integer(self.said(name), word, least=least) for word in words] or list(default)
        self.refuse_duplicates(name, values)
        return tuple(values)

    def refuse_duplicates(self, name: str, values: Sequence[object]) -> None:
        """Refuse a value that a list option has twice."""
        twice = sorted({str(value) for value in values if values.count(value) > 1})
        if twice:
            raise pytest.UsageError(
                f"{self.said(name)} names {', '.join(twice)} more than once. Each case is measured once per snapshot, "
                "so it would count twice. Name it once."
            )

    def _refuse_swallowed_path(self, name: str, words: Sequence[str]) -> None:
        said, here = self.said(name), self._config.invocation_params.dir
        for word in words:
            bare = word.split("::", 1)[0]
            if (name == "platforms" and "@" in word) or (name == "evidence" and "=" in word):
                continue
            if "/" in word or "::" in word or bare.endswith(".py") or Path(here, bare).is_dir():
                rest = " ".join(other for other in words if other != word)
                raise pytest.UsageError(
                    f"{said} swallowed {word!r}, which looks like a path. {said} takes every word that follows it, "
                    f"so the tests to run were lost. Put the path first: pytest {word} {said} {rest}".rstrip()
                )


def parse_integer(option: str, text: str, *, least: int) -> int:
    """Parse a whole number or refuse it in a sentence (``pytest.UsageError``)."""
    try:
        value = int(text, 10) if text.isascii() else None
    except ValueError:
        value = None
    if value is None:
        raise pytest.UsageError(
            f"{option} {text!r} is not a whole number. Nothing can be planned from it. "
            f"Give digits only, for example {option} {_example(text)}."
        )
    if value < least:
        raise pytest.UsageError(f"{option} {value} is too small; it must be at least {least}. Give a larger number.")
    return value


def parse_number(option: str, text: str, *, least: float) -> float:
    """Parse a finite number or refuse it in a sentence (``pytest.UsageError``)."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < least:
        raise pytest.UsageError(
            f"{option} {text!r} is not a finite number of at least {least:g}. "
            "A limit that is not a number would let everything pass. Give a number."
        )
    return value


def _example(text: str) -> str:
    repaired = text.upper().replace("O", "0").replace("L", "1").replace("I", "1")
    return repaired if repaired.isdigit() and int(repaired) > 0 else "1400"


def report_directory(config: pytest.Config) -> Path:
    """The directory of all run directories, absolute; not created here."""
    text = Options(config).text("report-dir") or "reports"
    return config.rootpath / Path(text).expanduser()
