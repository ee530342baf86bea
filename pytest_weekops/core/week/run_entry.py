"""From a run's decision document to its entry in the ledger. Names in it are checked: they never become paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.record import first_refused
from pytest_weekops.core.week.cells_held import not_applicable_of
from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.core.week.floors_held import demands_of

_FINDING = ("check", "status", "observed", "required", "message")
_HASH = 12  # characters of a kernel source's hash, as `weekops compare` has it
_RESULT = (
    *("platform", "kernel", "size", "seed", "unit", "mean_gflops", "mean_gbs", "p95_ms", "drift_percent", "launches"),
    *("ratio", "latency_ratio", "status"),
)


def run_entry(decision: Mapping[str, Any], *, decision_sha256: str = "") -> RunEntry:
    """What the ledger keeps of a decision document. Raises ``InputError`` where the document lacks it."""
    try:
        verdict, policy, identities = decision["verdict"], decision["policy"], decision["identities"]
        entry = RunEntry(
            run_id=decision["run_id"],
            kind=decision["kind"],
            created_at=decision["created_at"],
            command=_words(decision["command"]),
            decision=decision["decision"],
            exit_status=decision["exit_status"],
            severity=decision["severity"],
            failed_checks=tuple(decision.get("failed_checks") or _failed(verdict)),
            inconclusive_checks=tuple(decision.get("inconclusive_checks", ())),
            owner=verdict.get("owner", ""),
            respond_within_minutes=verdict.get("respond_within_minutes", 0),
            action=verdict.get("action", ""),
            policy_id=policy["id"],
            policy_sha256=policy["sha256"],
            policy=policy.get("effective", {}),
            plan=decision["plan"],
            counts=decision["counts"],
            hardware={label: str(facts.get("hardware", "")) for label, facts in identities.items()},
            drivers={label: _driver(facts) for label, facts in identities.items()},
            host_kernels={label: _host_kernel(facts) for label, facts in identities.items()},
            kernels={str(name): str(sha256)[:_HASH] for name, sha256 in decision.get("kernels", {}).items()},
            baselines=demands_of(
                decision.get("baselines", ()),
                {label: (str(f.get("profile", "")), str(f.get("hardware", ""))) for label, f in identities.items()},
            ),
            not_applicable=not_applicable_of(decision["plan"], identities),
            peaks=tuple(dict.fromkeys(str(peak["platform"]) for peak in decision.get("peaks", ()))),
            run_dir=run_directory(decision),
            decision_sha256=decision_sha256,
            artifacts=tuple(decision.get("artifacts", ())),
            findings=_kept(verdict.get("findings", ()), _FINDING),
            results=_kept([row for row in verdict.get("rows", ()) if not row.get("partner")], _RESULT),
        )
        _ = entry.week
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        place, message = first_refused(error)
        told = f"{place}: {message}" if place else message
        raise InputError(
            f"The decision of run {str(decision.get('run_id'))!r:.80} lacks what the ledger records: {told}. "
            "A run that is recorded by halves proves nothing. Use the document as the program wrote it."
        ) from error
    refuse_name(entry.run_id, "Run id")
    return entry


def run_directory(decision: Mapping[str, Any]) -> str:
    """Name of the run's directory inside the report directory; never a path."""
    name = str(decision.get("run_dir") or decision.get("run_id") or "").rstrip("/").rpartition("/")[2]
    refuse_name(name, "Run directory")
    return name


def refuse_name(name: str, what: str) -> None:
    """Refuse a name that could be a path, a hidden file or no name at all. Raises ``InputError``."""
    bad = not name or len(name) > 200 or name.startswith((".", "-")) or not name.isprintable()
    if bad or "/" in name or "\\" in name:
        raise InputError(
            f"{what} {name!r:.80} is no plain name. It names a directory, and must never lead elsewhere. "
            "Use the name that the run was given."
        )


def _kept(documents: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """These keys of each document, where they are there; numbers in five digits, as people are told them."""
    return tuple({key: _rounded(one[key]) for key in keys if one.get(key) is not None} for one in documents)


def _rounded(value: Any) -> Any:
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _words(command: Any) -> tuple[str, ...]:
    return (command,) if isinstance(command, str) else tuple(str(word) for word in command)


def _failed(verdict: Mapping[str, Any]) -> list[str]:
    found = [f["check"] for f in verdict.get("findings", ()) if f.get("blocking", True) and f.get("status") != "pass"]
    return list(dict.fromkeys(found))


def _host_kernel(identity: Mapping[str, Any]) -> str:
    """Release, modules and firmware below a driver; nothing where an older version did not ask."""
    kernel = identity.get("kernel") or {}
    told = {**kernel.get("drivers", {}), **kernel.get("firmware", {})}
    parts = [str(kernel.get("release") or ""), *(f"{name} {version}".strip() for name, version in told.items())]
    return ", ".join(filter(None, parts))


def _driver(identity: Mapping[str, Any]) -> str:
    return f"{identity.get('driver_version', '')} {str(identity.get('library_sha256', ''))[:16]}".strip()
