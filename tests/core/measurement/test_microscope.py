"""What Oclgrind says, read: kinds, places, launches that it cannot follow, and output that ends early."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_weekops.core.measurement.kernel_operation import KernelOperation, OperationFile
from pytest_weekops.core.measurement.microscope import (
    CHECK_OPTIONS,
    CHECK_SHAPES,
    DONE_MARK,
    EDGES,
    FAILED_MARK,
    LAUNCH_MARK,
    SHAPES,
    check_looks,
    close_looks,
    read_words,
)

UNWRITTEN = """
Uninitialized value written to global memory address 0x2000000000004
\tKernel: f
\tEntity: Global({0},0,0) Local({0},0,0) Group(0,0,0)
\t  store float %0, float addrspace(1)* %arrayidx2, align 4
\tAt line 12 (column 8) of mine.cl:
\t  a[i + 1] = b[i];
"""
RACE = """
Read-write data race at local memory address 0x1000000000000
\tKernel: g
\tFirst entity:  Global(1,0,0) Local(1,0,0) Group(0,0,0)
\tAt line 3 of mine.cl:
\t  a[i] = l[0];
\tAt line 9 of mine.cl:
"""
BEYOND = "\nInvalid write of size 4 at global memory address 0x1000000000040\n\tKernel: f\n"
APART = "\nWork-group divergence detected (barrier):\n\tKernel: f\n"
BLIND = "\nOCLGRIND FATAL ERROR (./src/plugins/Uninitialized.cpp:1805)\nUnsupported instruction: freeze\n"
WRONG = "\nWrong result: 3e+04 rounding units, 0 not finite\n"
OTHER = "\nSomething new\n"


def said(*launches: str, end: str = DONE_MARK) -> str:
    """The program's output: for each launch what was said of it, and how it ended."""
    marked = (f"\n{LAUNCH_MARK}launch {number}\n{words}" for number, words in enumerate(launches, start=1))
    return "".join(marked) + f"\n{end}\n"


@pytest.mark.parametrize(
    ("words", "kind", "told"),
    [
        (UNWRITTEN.format(0), "uninitialised value", "launch 1: uninitialised value in kernel f, line 12 of mine.cl ("),
        (RACE, "data race", "launch 1: data race in kernel g, line 3 of mine.cl (Read-write data race at"),
        (BEYOND, "invalid access", "launch 1: invalid access in kernel f (Invalid write of size 4 at"),
        (APART, "work-items that part ways at a barrier", "in kernel f (Work-group divergence detected"),
        (WRONG, "wrong result", "launch 1: wrong result in kernel ? (Wrong result: 3e+04"),
        (OTHER, "a complaint", "launch 1: a complaint in kernel ? (Something new)"),
    ],
)
def test_each_kind_is_told_with_its_place(words: str, kind: str, told: str) -> None:
    """What is not known by its words is a complaint, and never passed over."""
    found = read_words(said(words), ["launch 1"])
    (defect,) = found.defects
    assert (defect.kind, found.broken_off, found.blind) == (kind, "", ())
    assert told in defect.sentence


def test_what_happens_again_at_one_place_is_counted() -> None:
    """Once per work-item would be a page; another launch is another defect."""
    often = "".join(UNWRITTEN.format(item) for item in range(5))
    found = read_words(said(often, UNWRITTEN.format(0), ""), ["launch 1", "launch 2", "launch 3"])
    assert [(each.launch, each.times) for each in found.defects] == [("launch 1", 5), ("launch 2", 1)]
    assert ", 5 times (" in found.defects[0].sentence
    assert found.launches == ("launch 1", "launch 2", "launch 3")


def test_a_launch_that_the_simulator_cannot_follow_is_blind_and_no_finding() -> None:
    """It gives up in the middle, so that the result is wrong as well."""
    found = read_words(said(BLIND + WRONG, RACE), ["launch 1", "launch 2"])
    assert found.blind == ("launch 1",)
    assert [each.launch for each in found.defects] == ["launch 2"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it ended before its last launch was over"),
        (said("", end=""), "it ended before its last launch was over"),
        (said("", end=f"{FAILED_MARK}BuildError: no"), "BuildError: no"),
        (said(""), "launch 2 was not launched"),
    ],
)
def test_output_that_ends_early_is_no_clean_one(text: str, why: str) -> None:
    """What was not said of a launch proves nothing."""
    assert read_words(text, ["launch 1", "launch 2"]).broken_off == why


@example(f"\n{LAUNCH_MARK}")
@given(st.text() | st.lists(st.sampled_from([UNWRITTEN, RACE, "\t", LAUNCH_MARK, "\n", DONE_MARK])).map("".join))
def test_whatever_is_said_is_read(text: str) -> None:
    """Total on any output."""
    found = read_words(said(text), ["launch 1"])
    assert found.launches[0] == "launch 1"
    assert all(defect.sentence for defect in found.defects)


def test_each_variant_is_looked_at_where_it_has_edges() -> None:
    """An operation of one size has one edge, and no beta."""
    looks = close_looks({"mine": KernelOperation(), "sum": KernelOperation(name="triad")}, ("kernels",))
    assert [look.name for look in looks][:2] == ["mine at 1 x 1 x 1", "mine at 5 x 3 x 1"]
    assert looks[-1].name == "sum at 37"
    assert len(looks) == len(SHAPES) + len(EDGES)
    assert {look.beta for look in looks if look.operation == "triad"} == {0.0}


def test_the_kernels_that_check_others_are_looked_at_in_each_build() -> None:
    """By a name that says which."""
    looks = check_looks()
    assert looks[0].name == "abft_check ITEMS=1 ROWS=8 VW=1 at 1 x 1"
    assert len({look.name for look in looks}) == len(looks) == len(CHECK_SHAPES) * sum(map(len, CHECK_OPTIONS.values()))


def test_what_the_simulator_takes_from_the_host_is_not_looked_at() -> None:
    """Built-in functions and host calls; an operation of one's own of such a name is."""
    shipped = {
        name: KernelOperation(name=name) for name in ("math_exp", "queue", "image2d", "arithmetic_float", "scan")
    }
    own = KernelOperation(name="queue", file=OperationFile(path="queue.py", sha256="0" * 64))
    looked = close_looks({**shipped, "mine": own}, ("kernels",))
    assert {look.variant for look in looked} == {"scan", "mine"}
