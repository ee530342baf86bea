"""``--tier full``: the kernels of a run under Oclgrind, looked at once, with a gate for each of its platforms."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import InputError

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.microscope import Looked
    from pytest_weekops.core.measurement.records import GateRecord
    from pytest_weekops.plugin.choices import Choices

SIMULATOR = "oclgrind"


class Microscope:
    """What Oclgrind says of the variants of this run's catalogues."""

    def __init__(self, choices: Choices, say: Callable[[str], None]) -> None:
        self._choices = choices
        self._say = say

    def gate(self, label: str) -> GateRecord:
        """The record of one platform's gate. The simulator is no platform of the run: it says the same for all."""
        from pytest_weekops.run.microscope import gate_of

        found, missing = self._looked
        return gate_of(found, label, missing)

    @cached_property
    def _looked(self) -> tuple[Looked | None, str]:
        """What was seen; nothing, and why and what helps, where there is no simulator."""
        from pytest_weekops.core.measurement.microscope import check_looks, close_looks
        from pytest_weekops.drivers.platforms import resolve_platforms
        from pytest_weekops.files.catalog import kernel_operations
        from pytest_weekops.run.microscope import look_closely

        choices = self._choices
        try:
            (launch,) = resolve_platforms([SIMULATOR], scratch=choices.scratch, profile_files=choices.platform_files)
        except InputError as error:
            return None, f"kernels were not looked at: {error}"
        operations = kernel_operations(choices.kernel_dirs)
        variants = {name: operations[name] for name in choices.variants}
        looks = (*close_looks(variants, choices.kernel_dirs), *check_looks())
        self._say(f"weekops: {len(looks)} launches under Oclgrind")
        found = look_closely(launch, looks, choices.scratch)
        if found.blind:
            unseen = ", ".join(dict.fromkeys(name.split(" at ")[0] for name in found.blind))
            self._say(f"weekops: Oclgrind cannot follow uninitialised values through {unseen}; all else was looked at")
        return found, ""
