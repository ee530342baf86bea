"""Launch descriptions: what can be carried out has no problem, and everything else is named."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from pytest_weekops.core.measurement.launch import Buffer, Launch, Local, Step, launch_problem

GOOD = Launch(
    kernel="k",
    arguments=("x", "out", "tmp", np.int32(4)),
    inputs={"x": Buffer((2, 2))},
    output="out",
    output_shape=(2, 2),
    global_size=(4,),
    local_size=(2,),
    scratch={"tmp": 64},
)


def test_a_whole_description_has_no_problem() -> None:
    """Buffers are counted in bytes, the output as float32."""
    assert launch_problem(GOOD) == ""
    assert GOOD.buffer_bytes == {"x": 16, "out": 16, "tmp": 64}


def test_the_driver_may_choose_the_local_size() -> None:
    """No local size is no fault, whatever the global size is a multiple of."""
    assert launch_problem(dataclasses.replace(GOOD, global_size=(7,), local_size=None)) == ""


def several(*arguments: Any, **change: Any) -> Launch:
    """The good launch with a second step on these arguments."""
    return dataclasses.replace(GOOD, then=(Step("l", arguments, (8,), (4,)),), **change)


def test_a_launch_of_several_steps_has_no_problem() -> None:
    """Local memory, a filled output and scratch, whole numbers; the output passed to the last kernel only."""
    launch = several("tmp", "out", Local(16), zeroed=("out", "tmp"), output_dtype="uint32", arguments=("x", "tmp"))
    assert launch_problem(launch) == ""
    assert [step.kernel for step in launch.steps] == ["k", "l"]
    assert launch.steps[0] == Step("k", ("x", "tmp"), (4,), (2,))
    assert GOOD.steps == (Step("k", GOOD.arguments, (4,), (2,)),)


@pytest.mark.parametrize(
    ("launch", "words"),
    [
        (several("y"), "passes 'y', which is no buffer of it, in step 2"),
        (several(Local(0)), "local memory of whole bytes above 0, in step 2"),
        (
            several("tmp", arguments=("x", 3)),
            "size is unknown; write np.int32 or np.float32 around a number, in step 1",
        ),
        (several("tmp", arguments=("x",)), "never passes its output"),
    ],
)
def test_the_step_that_cannot_be_launched_is_named(launch: Launch, words: str) -> None:
    """By its number, where there are several."""
    assert words in launch_problem(launch)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"arguments": ("x", "out", 4)}, "plain"),
    ({"arguments": ("x", np.int32(4))}, "never passes its output"),
    ({"arguments": ("y", "out")}, "no buffer"),
    ({"arguments": ["x", "out"]}, "not a tuple"),
    ({"inputs": {"out": Buffer((2,))}}, "one name for two buffers"),
    ({"inputs": {"x": (2, 2)}}, "not Buffers"),
    ({"inputs": {"x": Buffer((0, 2))}}, "above 0"),
    ({"inputs": {"x": Buffer((2, 2), "float16")}}, "float16"),
    ({"output_shape": ()}, "above 0"),
    ({"output_shape": (2.0,)}, "above 0"),
    ({"scratch": {"tmp": 0}}, "bytes above 0"),
    ({"scratch": {"x": 4}}, "one name for two buffers"),
    ({"arguments": ("out", Local(0))}, "local memory"),
    ({"output_dtype": "float64"}, "float64"),
    ({"zeroed": ["out"]}, "has zeroed"),
    ({"zeroed": ("x",)}, "has zeroed"),
    ({"zeroed": (1,)}, "has zeroed"),
    ({"zeroed": ("tmp",), "scratch": {"tmp": 6}}, "has zeroed"),
    ({"then": [Step("l", ("out",), (1,))]}, "not a tuple of Steps"),
    ({"then": ("l",)}, "not a tuple of Steps"),
    ({"global_size": (1, 1, 1, 1)}, "one to three"),
    ({"global_size": (0,)}, "one to three"),
    ({"local_size": (2, 2)}, "as many"),
    ({"local_size": (3,)}, "no multiple"),
]


@pytest.mark.parametrize(("change", "words"), BAD, ids=[str(n) for n in range(len(BAD))])
def test_what_cannot_be_launched_is_named(change: dict[str, Any], words: str) -> None:
    """Each fault has a sentence of its own."""
    problem = launch_problem(dataclasses.replace(GOOD, **change))
    assert words in problem.replace("whose size is unknown", "plain")


def test_what_is_no_launch_is_named() -> None:
    """A dictionary that looks like one is none."""
    assert "is dict, not a Launch" in launch_problem({"kernel": "k"})
