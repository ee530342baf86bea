"""What a bisection found: as data, and as Markdown with a table of every step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_weekops.core.bisect.search import Narrowed, Said
from pytest_weekops.core.bisect.step import Settings, Step
from pytest_weekops.core.bisect.surety import answer_error, missed_share
from pytest_weekops.core.measurement.stats import percent
from pytest_weekops.report.markdown import escape

_HEAD = ("step", "place", "build", "says", "speed", "limit", "taken", "run", "why")


def bisection_document(
    settings: Settings, builds: Sequence[str], order: str, state: Narrowed, ends: Step, steps: Mapping[str, Step]
) -> dict[str, Any]:
    """The answer as strict JSON data. ``steps`` are those of the builds in between, by build."""
    taken = sorted((ends, *steps.values()), key=lambda step: step.number)
    decided = [step for step in taken if step.said is not Said.SKIPPED]
    error = answer_error(step.error for step in decided)
    tries = min((step.taken for step in decided if step.said is Said.GOOD), default=0)
    return {
        "schema": "weekops-bisection/1",
        "by": settings.by,
        "order": order,
        "first_bad": builds[state.bad] if state.is_exact else None,
        "last_good": builds[state.good],
        "suspects": [builds[place] for place in state.suspects],
        "skipped": [builds[place] for place in state.suspects if builds[place] in steps and place != state.bad],
        "builds": list(builds),
        "error": error,
        "missed_below_share": missed_share(tries) if settings.by != "speed" and tries else None,
        "evidence": [run for name in (builds[state.good], builds[state.bad]) if (run := _run_of(name, ends, steps))],
        "settings": settings.model_dump(mode="json", by_alias=True),
        "steps": [_line(step, builds) for step in taken],
    }


def _run_of(build: str, ends: Step, steps: Mapping[str, Step]) -> str:
    return steps[build].run if build in steps else ends.run if build == ends.build else ""


def _line(step: Step, builds: Sequence[str]) -> dict[str, Any]:
    whole = step.model_dump(mode="json", exclude={"files", "good_files"})
    return {**whole, "place": builds.index(step.build) if step.build in builds else None}


def bisection_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The answer in words, without the table."""
    total = len(document["builds"])
    if document["first_bad"] is not None:
        yield f"First bad build: {document['first_bad']}; the last good one is {document['last_good']}."
    else:
        suspects = document["suspects"]
        yield (
            f"One of {len(suspects)} builds is the first bad one, from {suspects[0]} to {suspects[-1]}; the last good "
            f"one is {document['last_good']}. Left open, since these say nothing: {', '.join(document['skipped'])}."
        )
    yield f"{total} builds {document['order']}, {len(document['steps'])} splits, the one of the two ends included."
    yield _surety(document)


def _surety(document: Mapping[str, Any]) -> str:
    if document["error"] is not None:
        return (
            f"Wrong with a probability of at most {100 * document['error']:.2g} %: the sum of what each step may err "
            "(Boole's inequality), given that one build made it so and all after it have it."
        )
    if document["missed_below_share"] is not None:
        return (
            "No error rate is known: right where the fault shows each time. One that shows in less than "
            f"{100 * document['missed_below_share']:.2g} % of the measurements is missed in a build with more than 5 %."
        )
    return "No error rate is known: right where the fault shows each time."


def bisection_markdown(document: Mapping[str, Any]) -> str:
    """The whole answer, for people; runs are linked from the bisection's directory."""
    lines = ["# Which build did it", "", *map(escape, bisection_lines(document)), ""]
    lines += [f"| {' | '.join(_HEAD)} |", f"|{' --- |' * len(_HEAD)}"]
    lines += [f"| {' | '.join(_cells(step))} |" for step in document["steps"]]
    return "\n".join([*lines, ""])


def _cells(step: Mapping[str, Any]) -> Iterator[str]:
    yield "ends" if step["number"] == 0 else str(step["number"])
    yield "" if step["place"] is None else str(step["place"])
    yield escape(step["build"])
    yield step["said"]
    yield speed_words(step)
    yield f"{step['limit']:.4f}"
    yield str(step["taken"])
    yield f"[{escape(step['run'])}]({step['run']})" if step["run"] else "none"
    yield escape(step["why"])


def speed_words(step: Mapping[str, Any]) -> str:
    """How much faster or slower than the good one, with the bounds that decided; nothing where it was not compared."""
    if step["log_ratio"] is None:
        return ""
    ends = [f"{percent(step[key]):+.1f}" if step[key] is not None else "?" for key in ("lower", "upper")]
    return f"{percent(step['log_ratio']):+.1f} % ({ends[0]} to {ends[1]})" if math.isfinite(step["log_ratio"]) else ""
