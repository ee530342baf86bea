"""Names of the kernel modes that stand for a choice, light enough for the plugin's first import."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pytest_weekops.core.units import IMAGE, LEVEL0, LEVEL1, MATH, QUEUE, STRICT_MATH

T3_KERNEL, T5_KERNEL = "auto_t3_controlled", "auto_t5_guarded"
CONTROLLED_KERNELS = (T3_KERNEL, T5_KERNEL)
KERNEL_SETS = {
    "default": CONTROLLED_KERNELS,
    "math": (*MATH, STRICT_MATH),
    "queues": QUEUE,
    "images": IMAGE,
    "level0": ("triad", *LEVEL0),
    "level1": tuple(LEVEL1),
    "all": (*CONTROLLED_KERNELS, "triad", *LEVEL1),
}


def named_kernels(words: Iterable[str], variants: Collection[str]) -> list[str]:
    """What the words name, each once: a set's kernels where a word is a set and no variant has that name."""
    found: dict[str, None] = {}
    for word in words:
        found.update(dict.fromkeys((word,) if word in variants else KERNEL_SETS.get(word, (word,))))
    return list(found)
