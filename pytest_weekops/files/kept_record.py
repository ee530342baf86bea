"""One record that this program has kept in a file of JSON, read back as if a stranger had written it."""

from __future__ import annotations

import stat
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


def read_record(path: Path, model: type[R], *, largest_bytes: int) -> tuple[R, bytes]:
    """The record of a file, and its bytes.

    Raises ``ValueError`` with a clause where it is none, and ``OSError`` without the file.
    """
    found = path.stat()  # looked at before the content: a pipe would block, a huge file fill the memory
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is no plain file")
    if found.st_size > largest_bytes:
        raise ValueError(f"it is larger than {largest_bytes // 1024} KiB")
    data = path.read_bytes()
    try:
        parse_json(data.decode("utf-8"))  # no key stands in an object twice
        return model.model_validate_json(data), data
    except (ValueError, RecursionError) as error:
        place, message = first_refused(error)
        raise ValueError(f"{place or 'the document'}: {message}") from error


def _text(path: Path, largest_bytes: int) -> str:
    if not path.is_file():
        raise ValueError("it is no file" if path.exists() else "there is no such file")
    if path.stat().st_size > largest_bytes:
        raise ValueError(f"it is larger than {largest_bytes} bytes")
    return path.read_text(encoding="utf-8")
