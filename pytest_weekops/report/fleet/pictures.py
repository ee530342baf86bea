"""The pictures of a fleet run: how the hosts of each label stand, and how fast each is beside the others."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from pytest_weekops.report.fleet.shown import LabelPart
from pytest_weekops.report.page.drawing import Picture, finite, line_at, new_figure, picture
from pytest_weekops.report.page.svg import BAD, GOOD, INK, OPEN, SERIES, VOID

_COLORS = {"good": GOOD, "open": OPEN, "void": VOID, "bad": BAD}
_MOST_LABELS = 24  # each with a picture of its hosts, and a bar
_MOST_DOTS = 200  # with more hosts than this, they are a line
_MOST_NAMED = 4


def labels_picture(labels: Sequence[LabelPart]) -> Picture | None:
    """A bar of hosts for each label; None for a fleet of one label, of which a line says as much."""
    if len(labels) < 2:
        return None
    shown = labels[:_MOST_LABELS]
    figure = new_figure(0.75 + 0.46 * len(shown), left=0.1)
    axes = figure.subplots()
    for row, label in enumerate(shown):
        tones, done = dict(label.tones), 0.0
        total = max(1, sum(tones.values()))
        for tone, color in _COLORS.items():
            part = 100.0 * tones.get(tone, 0) / total
            axes.barh([row], [part], left=[done], height=0.42, color=color, edgecolor="none", alpha=0.8)
            done += part
        needed = 100.0 * label.needed / total
        axes.plot([needed, needed], [row - 0.3, row + 0.3], color=INK, linewidth=1.6, zorder=5)
        words = f"{label.name}: {label.counts}"
        axes.annotate(words, (0, row - 0.32), xytext=(1, 2), textcoords="offset points", fontsize=8)
    axes.set_ylim(len(shown) - 0.5, -0.95)
    axes.set_yticks([])
    axes.set_xlim(0, 100.5)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("percent of the hosts that count")
    caption = (
        "Green promoted, amber is undecided, grey is silent, red failed. The upright line is how many must promote; "
        "hosts that are excepted do not count and are not drawn."
    )
    return picture(figure, "labels-picture", "How the hosts of each label stand", caption)


def shares_picture(label: LabelPart) -> Picture | None:
    """Every host's speed beside the median of those that have its driver, the slowest first; None without any."""
    shares = [(host, 100.0 * (share - 1.0), is_slow) for host, share, is_slow in label.shares]
    shown = [one for one in shares if finite([one[1]])]
    if len(shown) < 2:
        return None
    figure = new_figure(2.7, below=0.5)
    axes = figure.subplots()
    places, numbers = range(1, len(shown) + 1), [number for _host, number, _slow in shown]
    if len(shown) > _MOST_DOTS:
        axes.plot(places, numbers, color=SERIES[0], linewidth=1.6, zorder=4)
    else:
        size = max(2.2, min(5.0, 240.0 / len(shown)))
        axes.plot(places, numbers, "o", color=SERIES[0], markersize=size, linestyle="none", zorder=4)
    _slow(axes, [(place, one[0], one[1]) for place, one in zip(places, shown, strict=True) if one[2]])
    limit = 100.0 * (label.least_share - 1.0)
    axes.set_ylim(min(numbers[0], limit) * 1.12 - 0.4, max(numbers[-1], 0.0) * 1.12 + 0.6)
    line_at(axes, limit, f"outliers lie below {label.least_share:g} of the median")
    axes.set_xlim(0.3, len(shown) + 0.7)
    axes.set_title("percent above the median host")
    axes.set_xlabel("host, slowest first")
    axes.grid(visible=False, axis="x")
    title = f"{label.name}: speed of {len(shown)} hosts beside each other"
    caption = (
        "A host's throughput over the median of the hosts that have its driver, as a mean over its cells. A red cross "
        "is an outlier: it certainly lies below the line, and counts as a host that did not promote."
    )
    return picture(figure, f"{label.anchor}-shares", title, caption)


def _slow(axes: Axes, slow: Sequence[tuple[int, str, float]]) -> None:
    for place, host, number in slow:
        axes.plot([place], [number], "X", color=BAD, markersize=6.5, zorder=5)
        if len(slow) <= _MOST_NAMED:
            axes.annotate(host, (place, number), xytext=(7, -3), textcoords="offset points", fontsize=8, color=INK)


def fleet_pictures(labels: Sequence[LabelPart]) -> list[Picture]:
    """All of them."""
    made = (labels_picture(labels), *map(shares_picture, labels[:_MOST_LABELS]))
    return [each for each in made if each is not None]
