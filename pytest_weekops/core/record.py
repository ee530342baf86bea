"""The base of all records, and the documents of people that are read as one."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pytest_weekops.core.errors import PolicyError, shortened


class Record(BaseModel):
    """Base of all records: frozen, strict about unknown keys, strict JSON on output.

    A model is built when it is first used: judging one file needs a few of them, and building all takes longer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings", defer_build=True)


R = TypeVar("R", bound=Record)


def first_refused(error: BaseException) -> tuple[str, str]:
    """Place, by its keys, and message of the first thing that a model refused; of any other error its first line."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return shortened(".".join(map(str, first["loc"]))), shortened(first["msg"])
    return "", shortened((str(error) or type(error).__name__).splitlines()[0])


def as_record(model: type[R], data: Any, *, what: str, source: str, why: str) -> R:
    """A parsed document as a record. ``what`` it is in words, ``source`` its file, ``why`` a mistake in it matters.

    Raises ``PolicyError`` that names the file, the key and the value of the first thing that is refused.
    """
    if data is None:
        raise PolicyError(f"{what} {source} holds nothing. {why} Write it, or name another file.", path=source)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        key, message = first_refused(error)
        given = error.errors()[0].get("input")  # of a key that is missing: all that is there beside it
        has = f"has {', '.join(map(str, given))}" if isinstance(given, dict) else f"value {given!r:.80}"
        raise PolicyError(
            f"{what} {source}: {key or 'the document'}: {message} ({shortened(has)}). {why} Correct the entry.",
            path=source,
            key=key,
        ) from error
