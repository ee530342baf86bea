"""Kernels against NumPy with OpenBLAS, CLBlast and tile20, interleaved in one run; prints ratios with intervals.

    python benchmarks/kernels.py --platforms pocl --sizes 1400 2048 3072 --clblast --plot kernels.png
    python benchmarks/kernels.py --platforms rusticl clover --sizes 512 1024
    python benchmarks/kernels.py --platforms pocl --tuned --report-dir reports
    python benchmarks/kernels.py --platforms nvidia --clblast --cublas --against tile20 lanes \
        --launches 20 --rival-launches 20

Each round times, back to back and for each size, NumPy's float32 product in a process of its own and then every kernel
on every platform, each verified. A round gives one ratio of median times; printed are the geometric mean over rounds
and its 95 % interval (t on logarithms). CLBlast runs with its default parameters, in a process of its own, on the same
driver (Debian's libclblast1); cuBLAS, with its default math mode, which is float32, on NVIDIA's device.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from measuring import measure

from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.selection.tuning import TunedVariant
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.evidence.tunings import DIRECTORY, PlatformTuning, load_kernels, load_tunings
from pytest_weekops.files.scratch import Scratch
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.supervisor import PlatformSupervisor

# Student's t at 97.5 %, by the number of rounds.
STUDENT = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36}


def numpy_ms(host: HostWorker, size: int) -> float:
    """Median milliseconds of NumPy's product of two size x size float32 matrices."""
    return host.anchor(min_ms=200.0, size=size)


def kernel_ms(
    supervisor: PlatformSupervisor,
    host: HostWorker,
    kernel: str,
    size: int,
    launches: int,
    tuned: tuple[TunedVariant, ...] = (),
) -> float:
    """Median milliseconds of one kernel, packing included, verified."""
    answer = measure(supervisor, host, kernel, size, iterations=launches, warmup_min=2, warmup_max=3, tuned=tuned)
    return statistics.median(answer.sessions[0].wall_ns) * 1e-6


def library_ms(name: str, environment: dict[str, str], size: int, launches: int) -> float:
    """Median milliseconds of another library's SGEMM, CLBlast's on the driver that this environment leaves."""
    program = Path(__file__).with_name(f"{name.lower()}.py")
    done = subprocess.run(
        [sys.executable, str(program), str(size), str(launches)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{name} at {size}: {done.stderr.strip().splitlines()[-1]}")
    return float(json.loads(done.stdout)["ms"])


def tunings(label: str, identity: DeviceIdentity, report_dir: Path) -> tuple[TunedVariant, ...]:
    """What is in force on a platform, printed."""
    found, notes = load_tunings(report_dir / DIRECTORY, {label: identity}, load_kernels((str(data_dir("kernels")),)))
    tuning = found.get(label, PlatformTuning())
    print("\n".join([*notes, f"{label}: tuned: {tuning.words or 'nothing'}"]))
    return tuning.tuned


def summary(ratios: Sequence[float]) -> tuple[float, float, float]:
    """Geometric mean of the rounds' ratios and its 95 % interval."""
    logs = [math.log(ratio) for ratio in ratios]
    mean = statistics.fmean(logs)
    if len(logs) < 2:
        return math.exp(mean), 0.0, math.inf
    reach = STUDENT[min(len(logs), max(STUDENT))] * statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(mean), math.exp(mean - reach), math.exp(mean + reach)


Rows = dict[tuple[str, int], dict[str, list[float]]]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platforms", nargs="+", default=["pocl"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[1400, 2048, 3072])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--launches", type=int, default=3)
    parser.add_argument("--rival-launches", type=int, default=1, help="of the libraries and of --against")
    parser.add_argument("--tuned", action="store_true", help="with what `weekops tune` found, and against the shipped")
    parser.add_argument("--report-dir", type=Path, default=Path("reports"), help="where its files are")
    parser.add_argument("--clblast", action="store_true", help="compare with CLBlast too")
    parser.add_argument("--cublas", action="store_true", help="compare with cuBLAS too")
    parser.add_argument("--against", nargs="+", default=["tile20"], help="variants of ours to compare with")
    parser.add_argument("--plot", type=Path, help="write the ratios as a picture")
    arguments = parser.parse_args()
    scratch = Scratch()
    host = HostWorker(scratch.path, Deadlines())
    launches = resolve_platforms(arguments.platforms, scratch=scratch.path)
    supervisors = {launch.label: PlatformSupervisor(launch, Deadlines(), scratch.path) for launch in launches}
    environments = {launch.label: launch.environment for launch in launches}
    tuned: dict[str, tuple[TunedVariant, ...]] = {}
    for label, supervisor in supervisors.items():
        identity = supervisor.start()
        print(f"{label}: {identity.device_name}, driver {identity.driver_version}, {identity.hardware}")
        tuned[label] = tunings(label, identity, arguments.report_dir) if arguments.tuned else ()
    rows: Rows = {(label, size): {} for label in supervisors for size in arguments.sizes}
    try:
        for _round in range(arguments.rounds):
            for (label, size), found in rows.items():
                auto = kernel_ms(supervisors[label], host, "auto", size, arguments.launches, tuned[label])
                others = {"NumPy": numpy_ms(host, size)}
                if arguments.tuned:
                    others["shipped"] = kernel_ms(supervisors[label], host, "auto", size, arguments.launches)
                if arguments.clblast:
                    others["CLBlast"] = library_ms("CLBlast", environments[label], size, arguments.rival_launches)
                if arguments.cublas:
                    others["cuBLAS"] = library_ms("cuBLAS", environments[label], size, arguments.rival_launches)
                for name in arguments.against:
                    others[name] = kernel_ms(supervisors[label], host, name, size, arguments.rival_launches)
                found.setdefault("GFLOPS", []).append(2e-6 * size**3 / auto)
                for name, ms in others.items():
                    found.setdefault(name, []).append(ms / auto)
    finally:
        for supervisor in supervisors.values():
            supervisor.close()
        host.close()
        scratch.close()
    show(rows)
    if arguments.plot:
        plot(rows, arguments.plot)
    return 0


def show(rows: Rows) -> None:
    """The table, and the geometric mean over sizes of the ratio to NumPy."""
    names = [name for name in next(iter(rows.values())) if name != "GFLOPS"]
    print(f"\n| platform | n | GFLOPS | {' | '.join(f'times {name}' for name in names)} |")
    print(f"| --- | --- | --- | {' | '.join('---' for _ in names)} |")
    for (label, size), found in rows.items():
        cells = []
        for name in names:
            mean, low, high = summary(found[name])
            digits = 2 if mean < 10 else 1
            cells.append(f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]")
        print(f"| {label} | {size} | {statistics.median(found['GFLOPS']):.0f} | {' | '.join(cells)} |")
    for label in dict.fromkeys(label for label, _size in rows):
        means = [summary(found["NumPy"])[0] for (where, _size), found in rows.items() if where == label]
        print(f"\n{label}: geometric mean over sizes {statistics.geometric_mean(means):.2f} times NumPy")


def plot(rows: Rows, path: Path) -> None:
    """One panel per rival: the ratio at each size, per platform, with its interval."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = [name for name in next(iter(rows.values())) if name != "GFLOPS"]
    figure, panels = plt.subplots(1, len(names), figsize=(3.2 * len(names), 3.2), layout="constrained", squeeze=False)
    for name, axes in zip(names, panels[0], strict=True):
        for label in dict.fromkeys(label for label, _size in rows):
            sizes = [size for where, size in rows if where == label]
            found = [summary(rows[label, size][name]) for size in sizes]
            means = [mean for mean, _low, _high in found]
            reach = [[mean - low for mean, low, _ in found], [high - mean for mean, _, high in found]]
            axes.errorbar(sizes, means, yerr=reach, marker="o", capsize=3, label=label)
        axes.axhline(1.0, color="0.6", linewidth=0.8)
        axes.set(title=f"auto against {name}", xlabel="n", ylim=(0, None))
    panels[0][0].set_ylabel("times as fast")
    panels[0][0].legend(frameon=False)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    sys.exit(main())
