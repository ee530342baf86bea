"""The verdict has the last word: what pytest ends with, after everybody's hooks have had theirs.

A hook of somebody else's may set the exit status after the verdict, leave with ``sys.exit(0)``, or keep the campaign
from running at all. The plugin here is registered when all others are loaded, and stands around pytest's main function,
so that it hands on what comes out of it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pytest_weekops.plugin import asked, tiers
from pytest_weekops.plugin.sessions import active_gate, active_injection
from pytest_weekops.plugin.spellings import options_in

if TYPE_CHECKING:
    from pytest_weekops.plugin.asked import Wish

NO_VERDICT = 11  # iterate for want of evidence
_SEEN = "weekops_kinds"
_ASKING = ("require-verdict", "tier", "driver-smoke")
_WITHOUT_OWN_WORDS = (0, 1, 5)  # statuses whose message does not say already why nothing was measured


class Outcome(NamedTuple):
    """What is known of a pytest run when its main function is left."""

    verdict: int | None  # exit status of the verdict, or of fault campaigns; None where there is none
    decision: str = ""
    made: frozenset[str] = frozenset()  # the kinds that the verdict speaks of
    wishes: tuple[Wish, ...] = ()
    happened: str = ""  # why there is no verdict, in a sentence


def last_word(status: int, outcome: Outcome) -> tuple[int, str]:
    """The exit status that a run ends with, and what has to be said about it; nothing where all agree."""
    if outcome.verdict and status != outcome.verdict:
        return outcome.verdict, (
            f"the verdict is {outcome.decision}, exit status {outcome.verdict}. Something that came after it, a hook, "
            f"sys.exit or pytest.exit, would have ended this run with {status}. The verdict has the last word."
        )
    unmet = [wish for wish in outcome.wishes if not wish.kinds & outcome.made]
    if unmet and not outcome.verdict:
        final = status or NO_VERDICT
        if status not in _WITHOUT_OWN_WORDS:
            return final, ""
        return final, (
            f"NO VERDICT. {unmet[0].words}. {outcome.happened} Asked for a verdict, this run made none, which is no "
            f"promote: exit status {final}{'' if status else ' and not 0'}. Run the campaign by itself, whole. Where "
            "no gate was meant, leave its path out; where its tests are only met on the way, --require-verdict none."
        )
    if outcome.verdict == 0 and status:
        return status, (
            f"the verdict is {outcome.decision}, exit status 0, and this run ends with {status}: something else than "
            "the campaign did not go well, another plugin's check or a hook. See above."
        )
    return status, ""


class LastWord:
    """Who speaks last in one pytest run; without a name, so that ``-p no:`` has nothing to leave out."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._places: set[Path] = set()
        self._elsewhere: set[str] = set()

    @contextlib.contextmanager
    def over_conftests(self, args: Sequence[Any]) -> Iterator[None]:
        """While the first ``conftest.py`` files are loaded: one that leaves with 0 would leave without a verdict."""
        if sys.stdout is None and self._is_asked_by(args):
            _open_output()
        try:
            yield
        except SystemExit as leaving:
            if leaving.code or not self._is_asked_by(args):
                raise
            raise pytest.UsageError(
                "a conftest.py left Python with exit status 0 while it was loaded, before the campaign that was asked "
                "for could run. That is no promote. Take the sys.exit out of it."
            ) from leaving

    def _is_asked_by(self, args: Sequence[Any]) -> bool:
        options = {option for option, _value in options_in(args)}
        if options & {f"{start}{name}" for start in ("--", "--weekops-") for name in _ASKING}:
            return True
        paths = [Path(self._config.invocation_params.dir, str(word).partition("::")[0]) for word in args]
        return any(
            path.exists() and (asked.is_shipped(self._config, path) or (path.is_file() and asked.kinds_in(path)))
            for path in paths
        )

    # -- while pytest runs ---------------------------------------------------------------------------------------

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember from which files and directories tests came, before anybody left them out."""
        first = next((node for node in report.result or () if isinstance(node, pytest.Item)), None)
        if first is not None:
            self._places.update((first.path, *first.path.parents))

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember what ended the run early: ``pytest.exit`` may give it the status of a success."""
        if gate := active_gate(self._config):
            gate.note_broken_off(excinfo)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """In a process of pytest-xdist's: tell the one that speaks what was collected here."""
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_SEEN] = sorted(self._seen())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear what a process of pytest-xdist's collected."""
        self._elsewhere |= set(getattr(node, "workeroutput", {}).get(_SEEN, ()))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self) -> Generator[None, Any, Any]:
        """Hand on the exit status, or the verdict's where there is one."""
        try:
            answer = yield
        except SystemExit as leaving:
            status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
            final = self._settle(status)
            if final == status:
                raise
            return final
        except Exception as error:
            gate = active_gate(self._config)
            if gate is None or gate.conclusion is None:
                raise
            _say(f"{type(error).__name__} after the verdict: {error}")
            if not isinstance(error, OSError):
                traceback.print_exception(error)
            return self._settle(int(pytest.ExitCode.INTERNAL_ERROR))
        status = int(answer or 0)
        final = self._settle(status)
        return answer if final == status else final

    # -- the end -------------------------------------------------------------------------------------------------

    def _settle(self, status: int) -> int:
        if hasattr(self._config, "workerinput"):
            return status
        final, words = last_word(status, self._outcome())
        if words:
            _say(words)
        return final

    def _seen(self) -> set[str]:
        gate = active_gate(self._config)
        seen = set(gate.items.kinds) if gate is not None else set()
        return seen | ({asked.INJECT} if active_injection(self._config) is not None else set())

    def _outcome(self) -> Outcome:
        gate, inject = active_gate(self._config), active_injection(self._config)
        wished = asked.wishes(self._config, seen=self._seen() | self._elsewhere, empty=self._is_empty)
        if gate is not None and gate.run is not None:
            wished.append(asked.Wish(frozenset(gate.items.kinds), "A campaign was begun"))
        if gate is not None and gate.conclusion is not None:
            return Outcome(
                verdict=gate.conclusion.exit_status,
                decision=str(gate.conclusion.document["decision"]),
                made=frozenset(gate.items.kinds),
                wishes=tuple(wished),
                happened=f"The verdict that was made is of a {gate.plan.kind} campaign.",
            )
        if inject is not None and inject.ended is not None:
            made = frozenset({asked.INJECT})
            words = "The fault campaigns gave evidence, which is no verdict."
            return Outcome(inject.ended, "not enough fault campaigns", made, tuple(wished), words)
        return Outcome(None, wishes=tuple(wished), happened=self._happened() if wished else "")

    def _is_empty(self, path: Path) -> bool:
        if tiers.is_parallel(self._config):
            return False  # other processes collected, and told what they saw
        return path not in self._places

    def _happened(self) -> str:
        gate = active_gate(self._config)
        if gate is not None and gate.run is not None:
            run = gate.run.journal.path.parent
            return f"The run was broken off before it; `weekops judge {run}` reads what was measured."
        if only := asked.inquiry(self._config):
            return f"{only} measures nothing. {self._left_out()}".rstrip()
        count = len(gate.attendance) if gate is not None else 0
        if count:
            return f"None of its {count} tests was begun. {self._left_out() or 'A hook kept them from running.'}"
        return f"No test of it was collected. {self._left_out() or 'Was its path given, and does no hook drop it?'}"

    def _left_out(self) -> str:
        found = asked.selections(self._config)
        return f"In force: {', '.join(found)}." if found else ""


def _open_output() -> None:
    """Send to nowhere what a closed standard output cannot take; pytest and workers would stumble over it.

    The next file that somebody opens would else get its number, and what workers print would end up in the journal.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != 1:
        os.dup2(nowhere, 1)
        os.close(nowhere)
    sys.stdout = os.fdopen(1, "w")
    _say("standard output is closed; the verdict is in the report directory, and in the exit status.")


def _say(words: str) -> None:
    from pytest_weekops.report.saying import wrapped

    with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, full, or none at all
        sys.stderr.write("\n".join(wrapped(f"weekops: {words}")) + "\n")
        sys.stderr.flush()
