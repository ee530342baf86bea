"""Level 0 on a real driver: every item right, and a kernel that is not right has no number."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.campaigns.peak import measure_item
from pytest_weekops.core.measurement.peak import ITEMS, PeakAmounts, PeakResult
from pytest_weekops.device.peak import MEASURES
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.peak_messages import PeakRequest
from tests.support.benches import Bench

pytestmark = pytest.mark.device
TINY = PeakAmounts(nbytes=2**20, target_ms=0.1, repeats=1, widths=(4,), chains=(4,), launches=20)
COSTLY = "arithmetic_double"  # built twice; the dependent chain has the same source

# (kernel file, what is changed, into what, items that must be wrong)
SABOTAGE = [
    (
        "peak_memory.cl",
        "b[item] = a[item] ^ key;",
        "if (item != 777) b[item] = a[item] ^ key;",
        ("memory_copy",),
    ),
    (
        "peak_arithmetic.cl",
        "loop < loops;",
        "loop < loops - 1;",
        ("arithmetic_int",),
    ),
    ("peak_launch.cl", "+= 1;", "= 1;", ("launch_round_trip", "launch_in_order")),
]
MORE_SABOTAGE = [
    ("peak_memory.cl", "row * PITCH + column] ^ key", "row * PITCH + column]", ("memory_strided",)),
    ("peak_memory.cl", "a[index[item]] ^ key", "a[item] ^ key", ("memory_gather",)),
    ("peak_local.cl", "round < rounds;", "round < 1;", ("local_read",)),
    ("peak_arithmetic.cl", "(uint)MIXER", "31u", ("build_cold", "build_warm")),
    ("peak_arithmetic.cl", "x##j * m + a", "x##j * m", ("arithmetic_double", "arithmetic_int_dependent")),
    ("peak_arithmetic.cl", "out[item] = mixed;", "", ("arithmetic_float", "arithmetic_float_dependent")),
    ("peak_arithmetic.cl", " + BYTE(x, 3) * BYTE(m, 3)", "", ("arithmetic_char_dot", "arithmetic_char_dot_dependent")),
    ("peak_launch.cl", "get_global_id(0)", "0", ("launch_out_of_order",)),
    ("triad.cl", "+ s * *(", "+ s * 1.000001f * *(", ("memory_triad",)),
]


def peak(bench: Bench, name: str, kernels: Path | None = None, amounts: PeakAmounts = TINY) -> PeakResult:
    """One item, with tiny amounts."""
    request = PeakRequest(item=name, kernel_dir=str(kernels or data_dir("kernels")), amounts=amounts)
    return measure_item(bench.supervisor, ITEMS[name], request)


def test_every_item_has_its_measure() -> None:
    """No item of the list is forgotten, and nothing is measured that is on no list."""
    assert list(ITEMS) == sorted(MEASURES, key=list(ITEMS).index)


def test_every_item_is_right_or_names_what_the_device_lacks(benches: Callable[[str], Bench]) -> None:
    """On the embedded PoCL, all in one worker; it has no half, and says so by OpenCL's name."""
    found = {name: peak(benches("pocl-embedded"), name) for name in ITEMS if name != COSTLY}
    lacking = {name: item.reason for name, item in found.items() if item.status == "not_applicable"}
    assert set(lacking) <= {name for name, item in ITEMS.items() if item.needs in ("half", "double")}
    assert all("(cl_khr_fp" in reason for reason in lacking.values())
    for name, item in found.items():
        assert item.status == ("not_applicable" if name in lacking else "ok"), f"{name}: {item.reason}"
        assert bool(item.value) is (name not in lacking)


def sabotaged(directory: Path, file: str, old: str, new: str) -> Path:
    """The shipped kernels with one change."""
    kernels = directory / "kernels"
    shutil.copytree(data_dir("kernels"), kernels)
    text = (kernels / file).read_text(encoding="utf-8")
    assert old in text
    (kernels / file).write_text(text.replace(old, new), encoding="utf-8")
    return kernels


@pytest.mark.parametrize(("file", "old", "new", "items"), SABOTAGE)
def test_a_wrong_kernel_has_no_number(
    benches: Callable[[str], Bench], tmp_path: Path, file: str, old: str, new: str, items: tuple[str, ...]
) -> None:
    """Wrong, with the first place, and nothing else."""
    kernels = sabotaged(tmp_path, file, old, new)
    for name in items:
        result = peak(benches("pocl-embedded"), name, kernels)
        assert (result.status, result.value, result.best) == ("wrong", None, None), f"{name}: {result.reason}"
        assert "the first at" in result.reason


@pytest.mark.long
@pytest.mark.parametrize(("file", "old", "new", "items"), MORE_SABOTAGE)
def test_every_items_kernel_can_be_wrong(
    benches: Callable[[str], Bench], tmp_path: Path, file: str, old: str, new: str, items: tuple[str, ...]
) -> None:
    """A lost key, an index that nobody reads, a round less, a program from before, an addend or a write lost."""
    kernels = sabotaged(tmp_path, file, old, new)
    for name in items:
        result = peak(benches("pocl-embedded"), name, kernels)
        assert result.status == "wrong", f"{name}: {result.status} {result.reason}"


def test_a_kernel_that_does_not_compile_has_failed(benches: Callable[[str], Bench], tmp_path: Path) -> None:
    """With the compiler's words; an item that nobody knows is refused."""
    kernels = sabotaged(tmp_path, "peak_launch.cl", "+= 1;", "+= ;")
    result = peak(benches("pocl-embedded"), "launch_in_order", kernels)
    assert result.status == "failed"
    assert "does not compile" in result.reason
    reply = benches("pocl-embedded").supervisor.peak(PeakRequest(item="memory_cpoy", kernel_dir=str(kernels)))
    assert "no item memory_cpoy" in reply.reason  # type: ignore[union-attr]


@pytest.mark.long
@pytest.mark.parametrize("platform", ["pocl", "rusticl", "clover", "intel"])
def test_every_item_is_right_on_every_driver(benches: Callable[[str], Bench], platform: str) -> None:
    """Or named as lacking; whatever shape: here the widths and chains that the others leave out."""
    amounts = TINY.model_copy(update={"widths": (1, 8), "chains": (12,)})
    for name in ITEMS:
        result = peak(benches(platform), name, amounts=amounts)
        assert result.status in ("ok", "not_applicable"), f"{platform} {name}: {result.reason}"
