"""One record that this program has kept in a file of JSON, read back."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.record import Record, first_refused
from pytest_weekops.files.strict_json import parse_json

R = TypeVar("R", bound=Record)


def read_kept_record(path: Path, model: type[R], *, largest_bytes: int, lost: str) -> R:
    """The record of a file that is a regular one and not larger than that.

    Raises ``InputError``, in which ``lost`` says what is not known without it and what to do.
    """
    try:
        return model.model_validate(parse_json(_text(path, largest_bytes)))
    except (OSError, ValueError, RecursionError) as error:
        place, message = first_refused(error)
        why = f"{place or 'the document'}: {message}" if isinstance(error, ValidationError) else message
        raise InputError(f"{path} cannot be read: {why}. {lost}") from error


def _text(path: Path, largest_bytes: int) -> str:
    if not path.is_file():
        raise ValueError("it is no file" if path.exists() else "there is no such file")
    if path.stat().st_size > largest_bytes:
        raise ValueError(f"it is larger than {largest_bytes} bytes")
    return path.read_text(encoding="utf-8")
