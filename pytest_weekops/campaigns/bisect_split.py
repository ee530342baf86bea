"""One step's split: the gate as it is, in a process of its own, and what it left, read and judged again."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.metadata
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.core.bisect.saying import BUILD_LABEL, GOOD_LABEL, Opinion, opinion
from pytest_weekops.core.bisect.step import Settings
from pytest_weekops.core.bisect.surety import spread_percent
from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.judge.campaign import Campaign, live_campaign
from pytest_weekops.core.judge.pairing import pairings
from pytest_weekops.evidence.artifacts import DECISION_NAME, PYTESTS_OWN, contradictions, judged_anew, read_decision
from pytest_weekops.evidence.bisections import changed_since, hashes
from pytest_weekops.evidence.journal import JOURNAL_NAME
from pytest_weekops.evidence.stored_run import StoredRun, read_run
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.files.scratch import PREFIX
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.locking import BUSY

_PR_SET_PDEATHSIG = 1  # prctl(2)
_TAIL_LINES, _TAIL_BYTES = 4, 4000
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True)
class SplitAsked:
    """The split of one build against the good one: which ratio, under which policy, and where its runs go."""

    settings: Settings
    build: Path
    limit: float
    policy: Path
    report_dir: Path
    name: str

    @property
    def prefix(self) -> str:
        """First part of its runs' names: the same for the same question about the same file."""
        asked = (hash_file(self.build), self.policy.read_text("utf-8"), self.settings.model_dump_json(), self.limit)
        slug = re.sub(r"[^A-Za-z0-9]+", "-", self.name).strip("-")[-40:].strip("-")
        return f"{slug}-{hashlib.sha256(repr(asked).encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class SplitFound:
    """What came of it. ``run_dir`` is None where it measured nothing; then ``said`` is the gate's last words."""

    status: int
    run_dir: Path | None = None
    opinion: Opinion | None = None
    files: dict[str, str] | None = None
    good_files: dict[str, str] | None = None
    spread: float | None = None
    said: str = ""


def measured_split(asked: SplitAsked) -> SplitFound:
    """The split's run: one that came to its end before, one that is gone on with, or a new one.

    Raises ``InputError`` for a run that was altered, ``WeekopsError`` where the gate was interrupted.
    """
    if not asked.build.is_file():
        return SplitFound(4, said=f"{asked.build} is not there")
    earlier = sorted(path.parent for path in asked.report_dir.glob(f"{asked.prefix}-*/{JOURNAL_NAME}"))
    for run_dir in reversed(earlier):
        found = _read(run_dir, asked) if (run_dir / DECISION_NAME).exists() else None  # killed, it may be cut anywhere
        if found is not None and not changed_since({**(found.files or {}), **(found.good_files or {})}):
            return found
    if earlier and _is_broken_off(earlier[-1]):
        found = _run(asked, resume=earlier[-1])
        if found.run_dir is not None:
            return found  # else what changed since stands against going on
    return _run(asked)


def _is_broken_off(run_dir: Path) -> bool:
    try:
        return read_run(run_dir).ended in (None, 2)
    except InputError:
        return False


def _run(asked: SplitAsked, *, resume: Path | None = None) -> SplitFound:
    before = set(asked.report_dir.glob(f"*/{JOURNAL_NAME}"))
    log = asked.report_dir.parent / "logs" / f"{asked.prefix}.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    status = _run_gate(gate_argv(asked, resume), log)
    refuse_stopped(status, log, asked.build)
    for journal in sorted(set(asked.report_dir.glob(f"*/{JOURNAL_NAME}")) - before):
        found = _read(journal.parent, asked)
        if found is not None:
            return found
    return SplitFound(status, said=f"the gate ended with {status}: {_last_lines(log)}")


def refuse_stopped(status: int, log: Path, build: Path) -> None:
    """Raise ``WeekopsError`` where what kept the gate from measuring is not the build's: none is skipped for that."""
    text = " ".join(log.read_text(encoding="utf-8", errors="replace").split())
    why = {2: "was interrupted", 3: "broke off"}.get(status, "")
    why = "found the device held by another gate" if status == 4 and BUSY in text else why
    why = f"ended by signal {-status}" if status < 0 else why
    if why:
        raise WeekopsError(
            f"The split of {build} {why}; what was measured is kept. {_last_lines(log)} The same command goes on; "
            f"everything that the gate said is in {log}."
        )


def gate_argv(asked: SplitAsked, resume: Path | None = None) -> list[str]:
    """The gate's command line. The user's words come first: where both say something, it is ours that counts."""
    settings = asked.settings
    words = {
        "baseline-platform": f"{GOOD_LABEL}={settings.profile}@{settings.good}",
        "candidate-platform": f"{BUILD_LABEL}={settings.profile}@{asked.build}",
        "min-rusticl-ratio": repr(asked.limit),
        "snapshots": str(settings.snapshots),
        "max-snapshots": str(settings.max_snapshots),
        "policy": str(asked.policy),
        "expectations": str(data_dir("policies") / "expectations.yaml"),  # none: a step asks for what a build does
        "require-verdict": "split",
        "rollback": "never",
        "mode": "ci",
    }
    # With equals signs: pytest would take a path that stands by itself for one of tests, and its root from that.
    named = [f"--weekops-{name}={value}" for name, value in words.items()]
    many = ["--weekops-sizes", *map(str, settings.sizes), "--weekops-kernels", *settings.kernels]
    run = [f"--weekops-resume={resume}" if resume else f"--weekops-report-prefix={asked.prefix}"]
    place = f"--weekops-report-dir={asked.report_dir}"
    return [*_pytest(), *settings.options, *many, *named, *run, place, "-p", "no:cacheprovider"]


def _pytest() -> list[str]:
    """The command of the split suite and nothing else: the project's own, or the one that is shipped."""
    known = any(point.name == "weekops" for point in importlib.metadata.entry_points(group="pytest11"))
    pytest = [sys.executable, "-m", "pytest", *(() if known else ("-p", "pytest_weekops.plugin"))]
    if Path("suites", "split").is_dir():
        return [*pytest, "suites/split"]
    shipped = data_dir("suites")  # as an argument it would become pytest's root and hide the project's configuration
    paths = ("-o", f"testpaths={shlex.quote(str(shipped / 'split'))}", "--confcutdir", str(shipped))
    return [*pytest, *paths]


def _run_gate(argv: Sequence[str], log: Path) -> int:
    """Run it to its end, its words in a file. It ends with us, whatever ends us."""
    mine = ("PYTEST_ADDOPTS", "WEEKOPS_LEDGER")  # a bad build of a ladder is no finding of a team's channel
    environment = {name: value for name, value in os.environ.items() if name not in mine}
    root = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH", "")]))
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - this process has one thread
        )
        try:
            return process.wait()
        except BaseException:  # Ctrl-C came to both: let it write down what it has
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=60)
            process.kill()
            process.wait()
            raise


def _end_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _last_lines(log: Path) -> str:
    text = log.read_bytes()[-_TAIL_BYTES:].decode("utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-_TAIL_LINES:])[:500] or "it said nothing"


def _read(run_dir: Path, asked: SplitAsked) -> SplitFound | None:
    """What a run says; None where it did not come to its end, or was asked something else.

    Raises ``InputError`` where its decision says something else than its journal.
    """
    run = read_run(run_dir)
    document = read_decision(run_dir)
    if run.ended is None or run.ended in PYTESTS_OWN or document is None or not _is_asked(run, asked):
        return None
    verdict, facts = judged_anew(run)
    if found := contradictions(run_dir, facts.decision(verdict), document):
        raise InputError(
            f"Run {run_dir} was altered: its decision and its journal differ in {', '.join(found)}. A step on it would "
            "rest on somebody's edit. Restore it, or move the directory away to have it measured anew."
        )
    campaign = live_campaign(
        run.plan, run.records, identities=run.identities, created_at=run.created_at, segments=run.segments
    )
    spreads = [spread_percent(each.logs) for each in pairings(campaign) if each.seed is None and each.pairs]
    known = [each for each in spreads if each is not None]
    listed = {label: _listed(campaign, label) for label in (GOOD_LABEL, BUILD_LABEL)}
    return SplitFound(
        status=run.ended,
        run_dir=run_dir,
        opinion=opinion(asked.settings.by, verdict, campaign),
        files={**hashes([asked.build]), **listed[BUILD_LABEL]},
        good_files={**hashes([Path(asked.settings.good)]), **listed[GOOD_LABEL]},
        spread=max(known, default=None),
    )


def _listed(campaign: Campaign, label: str) -> dict[str, str]:
    """A driver's files and their hashes, without what workers keep in their scratch: that is gone with the run."""
    scratch = str(Path(tempfile.gettempdir(), PREFIX))
    return {file.path: file.sha256 for file in campaign.driver_files(label) if not file.path.startswith(scratch)}


def _is_asked(run: StoredRun, asked: SplitAsked) -> bool:
    plan = run.plan
    same = (plan.kind, plan.platforms, plan.sizes, plan.kernels, plan.min_rusticl_ratio)
    settings = asked.settings
    return same == ("split", (GOOD_LABEL, BUILD_LABEL), settings.sizes, settings.kernels, asked.limit)
