"""Real workers on real drivers, shared by all device tests, and problems with their references."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pytest_weekops.core.guard.coverage import CostRule
from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.selection.tuning import TunedVariant
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import GuardRequest, MeasureRequest, SelectorRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor
from pytest_weekops.worker.verified import measure_verified


class Bench:
    """One platform's supervisor and the host worker behind it."""

    def __init__(self, supervisor: PlatformSupervisor, host: HostWorker) -> None:
        self.supervisor = supervisor
        self._host = host

    def measure(
        self,
        kernel: str,
        shape: tuple[int, int, int],
        *,
        alpha: float = 1.0,
        beta: float = 0.0,
        iterations: int = 2,
        sessions: int = 1,
        warmups: int = 1,
        kernel_dir: Path | None = None,
        guard: GuardRequest | None = None,
        guard_draw: int = 0,
        guard_cost: CostRule | None = None,
        selector: SelectorRequest | None = None,
        operation: KernelOperation | None = None,
        tuned: Sequence[TunedVariant] = (),
        max_run_delay_percent: float | None = None,
    ) -> Measurement:
        """Measure one kernel once, verified against the host worker's reference."""
        m, n, k = shape
        operation = operation or KernelOperation()
        request = MeasureRequest(
            kernel=kernel,
            m=m,
            n=n,
            k=k,
            seed=5,
            sessions=sessions,
            iterations=iterations,
            warmup_min=warmups,
            warmup_max=warmups,
            alpha=alpha,
            beta=beta,
            kernel_dirs=(str(kernel_dir or data_dir("kernels")),),
            max_abs_error=1e-3 if operation.is_gemm else None,
            k_scaled_bound=16.0,
            guard=guard,
            guard_draw=guard_draw,
            guard_cost=guard_cost,
            selector=selector,
            tuned=tuple(tuned),
            max_run_delay_percent=max_run_delay_percent,
            operation=operation.name,
            operation_file=operation.file,
        )
        return measure_verified(self.supervisor, self._host, request)


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostWorker]:
    """The host worker."""
    worker = HostWorker(tmp_path_factory.mktemp("host"), Deadlines())
    yield worker
    worker.close()


@pytest.fixture(scope="session")
def start_bench(
    tmp_path_factory: pytest.TempPathFactory, need_platform: Callable[[str], str], host: HostWorker
) -> Iterator[Callable[..., Bench]]:
    """``start_bench(name, **deadlines)``: a fresh supervisor on that platform, closed at the end."""
    started: list[PlatformSupervisor] = []

    def start(name: str, **deadlines: float) -> Bench:
        scratch = tmp_path_factory.mktemp(name)
        # A label and a namespace of its own: a shared bench holds its driver and its device for the whole session.
        (launch,) = resolve_platforms([f"{name}.{len(started)}={need_platform(name)}"], scratch=scratch)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("WEEKOPS_LOCK_NAMESPACE", f"bench {scratch}")
            supervisor = PlatformSupervisor(launch, Deadlines(**deadlines), scratch)
            supervisor.start()
        started.append(supervisor)
        return Bench(supervisor, host)

    yield start
    for supervisor in started:
        supervisor.close()


@pytest.fixture(scope="session")
def benches(start_bench: Callable[[str], Bench]) -> Callable[[str], Bench]:
    """``benches(name)``: the one shared bench of a platform."""
    known: dict[str, Bench] = {}

    def get(name: str) -> Bench:
        if name not in known:
            known[name] = start_bench(name)
        return known[name]

    return get


@pytest.fixture
def own_kernels(tmp_path: Path) -> Callable[..., Path]:
    """``own_kernels(body)``: a directory with the guard's kernels and one variant, ``mine``, of this source.

    With the layout ``block`` an item still computes one element, and rows of B and C are padded to 16 floats.
    """

    def write(source: str, layout: str = "elementwise") -> Path:
        for check in (*data_dir("kernels").glob("abft_*.cl"), data_dir("kernels") / "group_sum.clh"):
            (tmp_path / check.name).write_text(check.read_text(encoding="utf-8"), encoding="utf-8")
        (tmp_path / "mine.cl").write_text(source, encoding="utf-8")
        one = ", defines: {MR: 1, NV: 1, VW: 1}" if layout == "block" else ""
        (tmp_path / "catalog.yaml").write_text(
            f"version: 1\nkernels:\n  mine: {{mode: mine, file: mine.cl, layout: {layout}{one}}}\n", encoding="utf-8"
        )
        return tmp_path

    return write
