"""pytest's root directory and configuration file, which it settles before plugins may declare options.

In ``--report-dir /elsewhere`` the directory looks like a path to test. It moves the root, there or to what both have in
common, and the project's own configuration, its suites and its markers would be missing unseen.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.plugin.options import Options

_PATHS = (
    *("report-dir", "policy", "t3-policy", "t5-policy", "baseline", "tuning", "expectations", "resume"),
    "validation-report-dir",
)
_NEWER = ("pytest.toml", ".pytest.toml") if pytest.version_tuple >= (9,) else ()
_OWN = (*_NEWER, "pytest.ini", ".pytest.ini")  # by their being there
_SHARED = {"pyproject.toml": "[tool.pytest", "tox.ini": "[pytest]", "setup.cfg": "[tool:pytest]"}  # by these words


def refuse_wrong_root(config: pytest.Config) -> None:
    """Raise ``pytest.UsageError`` where pytest took an option's value for tests, and so passes over the configuration.

    Not where the configuration file was named with ``-c``.
    """
    here, options = config.invocation_params.dir, Options(config)
    if config.option.inifilename:
        return
    passed_over = _passed_over(config) if here.is_relative_to(config.rootpath) else here
    if passed_over is None:
        return
    for name in _PATHS:
        value, said = options.asked(name), options.said(name)
        if value is None or f"{said}={value}" in map(str, config.invocation_params.args):
            continue
        place = Path(here, value).resolve()
        if place.is_relative_to(config.rootpath) and not place.is_relative_to(passed_over):
            raise pytest.UsageError(
                f"{said} {value}: pytest took that path for one of tests, so that its root is {config.rootpath}, and "
                f"this project's configuration would not be read. Write it with an equals sign: {said}={value}."
            )


def _passed_over(config: pytest.Config) -> Path | None:
    """The directory of a configuration file that is nearer than the one that was read; None where none is."""
    here = config.invocation_params.dir
    for place in (here, *here.parents):
        if place == config.rootpath:
            return None
        if any((place / name).is_file() for name in _OWN):
            return place
        if any(_says(place / name, words) for name, words in _SHARED.items()):
            return place
    return None


def _says(file: Path, words: str) -> bool:
    try:
        return words in file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
