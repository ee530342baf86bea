"""Putting tuned build parameters in force in a worker: on the very source they were found for, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.catalog import device_class
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.selection.tuning import TunedVariant
from pytest_weekops.core.selection.tuning_space import why_illegal
from pytest_weekops.files.kernel_sources import Source


def put_in_force(
    sources: Mapping[str, Source], tuned: Sequence[TunedVariant], identity: DeviceIdentity
) -> dict[str, Source]:
    """The sources with the tuned values in place of the shipped ones; NDRange and padding follow from them.

    Raises ``DeviceError`` for a variant that is not there, another source, or values outside its parameters: what was
    asked for is measured or refused, never quietly replaced by the default.
    """
    found = dict(sources)
    for values in tuned:
        source = sources.get(values.variant)
        if source is None or source.sha256 != values.kernel_sha256:
            raise DeviceError(
                f"Tuned variant {values.variant} was found for another source than the one that is here. Its values "
                "may be wrong for this one. Run `weekops tune` again, or measure with --tuning off."
            )
        if problem := why_illegal(source.entry, values.defines, identity):
            raise DeviceError(f"Tuned variant {values.variant} is refused: {problem}. Run `weekops tune` again.")
        shipped = source.entry.defines_for(device_class(identity))
        entry = source.entry.model_copy(update={"defines": {**shipped, **values.defines}, "quirks": {}})
        words = tuple(f"{name}={value}" for name, value in values.defines.items())
        found[values.variant] = replace(source, entry=entry, tuned=words)
    return found
