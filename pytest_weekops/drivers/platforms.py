"""From names on the command line to launches: which ICD, environment and platform. No driver is loaded here."""

from __future__ import annotations

import difflib
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.profile import Profile, Profiles, parse_profiles
from pytest_weekops.core.patterns import pattern_problem
from pytest_weekops.drivers.auto import NoDriverWorks, first_that_works
from pytest_weekops.drivers.expected import expected_libraries
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.files.strict_yaml import Source, read_yaml
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest

_VENDORS = "/etc/OpenCL/vendors"
AGAINST = "--against"
REFERENCE = "reference"
_REFERENCES = ("intel", "pocl-embedded")
_LABEL = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")


def load_profiles(files: Sequence[Path] = ()) -> Profiles:
    """The shipped profiles with the given files' merged over them; the last file that names a profile wins."""
    merged: dict[str, Profile] = {}
    auto: tuple[str, ...] = ()
    for path in (data_dir("policies") / "platforms.yaml", *files):
        lost = "Its platforms are unknown. Check the path."
        parsed = parse_profiles(read_yaml(Source("Platform file", path), lost), str(path))
        merged.update(parsed.profiles)
        auto = parsed.auto or auto
    return Profiles(version=1, profiles=merged, auto=auto)


def resolve_platforms(
    names: Sequence[str],
    *,
    scratch: Path,
    device_pattern: str | None = None,
    profile_files: Sequence[Path] = (),
    twice: bool = False,
    say: Callable[[str], None] | None = None,
    said: Sequence[str] = (),
) -> list[Launch]:
    """One launch per name: ``PROFILE``, ``PROFILE@ICD-OR-LIBRARY`` or ``LABEL=PROFILE@...``.

    Two drivers of one profile get labels of their own (``pocl``, ``pocl-2``). Raises ``InputError`` for a name or a
    path that does not exist, for a driver that is not installed, and for ``auto`` where nothing answers; and, but for
    ``twice``, for a driver that is named twice. ``say`` is told where ``auto`` waits for another gate. ``said`` are the
    options that gave the names, where it was not ``--platforms``.
    """
    launches = name_launches(
        names,
        scratch=scratch,
        device_pattern=device_pattern,
        profile_files=profile_files,
        twice=twice,
        say=say,
        said=said,
    )
    for launch in launches:
        if launch.missing:
            raise InputError(launch.missing)
    return launches


def resolve_against(
    name: str,
    launches: Sequence[Launch],
    *,
    scratch: Path,
    device_pattern: str | None = None,
    profile_files: Sequence[Path] = (),
) -> Launch:
    """The launch of the driver in service, beside those under test: ``PROFILE``, ``PROFILE@PATH`` or with a label.

    Raises ``InputError`` as :func:`resolve_platforms` does, and where it is one of those under test.
    """
    _check_pattern(device_pattern)
    profiles = load_profiles(profile_files)
    label, profile_name, path = _split(name, profiles, said=AGAINST)
    label = _free_label(label, [launch.label for launch in launches], explicit="=" in name, said=AGAINST)
    profile = profiles.profiles[profile_name]
    found = _launch(label, profile_name, profile, path, scratch=scratch, device_pattern=device_pattern, said=AGAINST)
    if found.missing:
        raise InputError(found.missing)
    for launch in launches:
        if launch.open.icd == found.open.icd and launch.environment == found.environment:
            raise InputError(
                f"{AGAINST} {name!r} loads {found.open.icd}, and so does {launch.label}, which is under test. A driver "
                f"beside itself is as fast as itself, whatever it is. Name the driver in service: {AGAINST} "
                "PROFILE@PATH."
            )
    return found


def reference_launch(scratch: Path, beside: Sequence[Launch] = (), *, name: str | None = None) -> Launch:
    """The launch of the reference driver: the named one, or Intel's runtime, or else PoCL's wheel.

    Shipped profiles alone name it: it is a clock, and the same one everywhere. One that is under test (``beside``) is
    the last that is taken, since beside itself a driver is as fast as itself, whatever it is. Raises ``NoDriverWorks``
    without any, and ``InputError`` where it cannot be told now.
    """
    profiles, names = load_profiles().profiles, _REFERENCES if name is None else (name,)
    launches = [_launch(REFERENCE, each, profiles[each], None, scratch=scratch, device_pattern=None) for each in names]
    under_test = {launch.open.icd for launch in beside}
    candidates = sorted(launches, key=lambda launch: launch.open.icd in under_test)
    try:
        return first_that_works(candidates, scratch)
    except NoDriverWorks as error:
        what = f"on: neither {' nor '.join(names)} works here" if name is None else f"{name}: it does not work here"
        raise NoDriverWorks(f"--reference-driver {what}, so none takes turns. {error}") from error


def name_launches(
    names: Sequence[str],
    *,
    scratch: Path,
    device_pattern: str | None = None,
    profile_files: Sequence[Path] = (),
    twice: bool = False,
    say: Callable[[str], None] | None = None,
    said: Sequence[str] = (),
) -> list[Launch]:
    """The same, with ``missing`` set on those whose driver is not installed; for ``weekops drivers``."""
    _check_pattern(device_pattern)
    profiles = load_profiles(profile_files)
    launches: list[Launch] = []
    for name, option in zip(names, said or ["--platforms"] * len(names), strict=True):
        if name == "auto":
            candidates = (
                _launch(name, name, profiles.profiles[name], None, scratch=scratch, device_pattern=device_pattern)
                for name in profiles.auto
            )
            launches.append(first_that_works(candidates, scratch, say))
            continue
        label, profile_name, path = _split(name, profiles, said=option)
        label = _free_label(label, [launch.label for launch in launches], explicit="=" in name, said=option)
        profile = profiles.profiles[profile_name]
        launches.append(
            _launch(label, profile_name, profile, path, scratch=scratch, device_pattern=device_pattern, said=option)
        )
    if not twice:
        _refuse_same_driver(launches)
    return launches


def every_launch(scratch: Path, profile_files: Sequence[Path] = ()) -> list[Launch]:
    """A launch per profile, ``missing`` set where no ICD is there; for ``weekops drivers``."""
    profiles = load_profiles(profile_files)
    return [
        _launch(name, name, profile, None, scratch=scratch, device_pattern=None)
        for name, profile in profiles.profiles.items()
    ]


def _check_pattern(pattern: str | None) -> None:
    if problem := pattern_problem(pattern or ""):
        raise InputError(f"--device {pattern!r} is no regular expression: {problem}. Give part of a device name.")


def _split(name: str, profiles: Profiles, *, said: str = "--platforms") -> tuple[str, str, str | None]:
    label, _, rest = name.rpartition("=") if "=" in name.split("@", maxsplit=1)[0] else ("", "", name)
    profile_name, _, path = rest.partition("@")
    if profile_name not in profiles.profiles:
        close = difflib.get_close_matches(profile_name, profiles.profiles, n=1, cutoff=0.7)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise InputError(
            f"{said} {name!r}: there is no profile {profile_name!r}. It says how to reach a driver, so nothing "
            f"can be started.{hint} Known: {'' if said == AGAINST else 'auto, '}{', '.join(profiles.profiles)}. "
            "Profiles of your own are in a file that --platform-file names, or weekops_platform_files of the ini file."
        )
    if label and not _LABEL.match(label):
        raise InputError(f"{said} {name!r}: {label!r} is no label. Use letters, digits, dots and dashes.")
    return label or profile_name, profile_name, path or None


def _free_label(label: str, taken: list[str], *, explicit: bool, said: str = "--platforms") -> str:
    if label not in taken:
        return label
    if explicit:
        raise InputError(f"{said} names the label {label!r} twice. Numbers must tell the two apart. Choose another.")
    number = 2
    while f"{label}-{number}" in taken:
        number += 1
    return f"{label}-{number}"


def _refuse_same_driver(launches: Sequence[Launch]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for launch in launches:
        key = (launch.open.icd, str(sorted(launch.environment.items())))
        if launch.open.icd and key in seen:
            raise InputError(
                f"--platforms names one driver twice: {seen[key]} and {launch.label} both load {launch.open.icd}. "
                "A driver compared with itself proves nothing of it. Name it once, or give PROFILE@PATH; `pytest "
                "suites/split --aa --platforms NAME` shows what noise this machine has."
            )
        seen[key] = launch.label


def _launch(
    label: str,
    profile_name: str,
    profile: Profile,
    path: str | None,
    *,
    scratch: Path,
    device_pattern: str | None,
    said: str = "--platforms",
) -> Launch:
    icd, missing = _find_icd(profile_name, profile, path, scratch, said)
    environment = {key: os.environ.get(key, value) for key, value in profile.environment.items()}
    environment["OCL_ICD_VENDORS"] = icd or "/nonexistent"
    own_paths = [_fill(path) for path in profile.library_path]
    if own_paths:
        paths = [*own_paths, os.environ.get("LD_LIBRARY_PATH", "")]
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, paths))
    return Launch(
        label=label,
        profile=profile_name,
        environment=environment,
        missing=missing,
        deadlines=profile.deadlines,
        open=OpenRequest(
            profile=profile_name,
            platform_name=profile.platform_name,
            platform_vendor=profile.platform_vendor,
            platform_version=profile.platform_version,
            device_pattern=device_pattern,
            device_types=profile.device_types,
            icd=icd,
            expected=expected_libraries(icd, own_paths),
        ),
    )


def _find_icd(profile_name: str, profile: Profile, path: str | None, scratch: Path, said: str) -> tuple[str, str]:
    """The ICD file to load, and a sentence where there is none."""
    if path is not None:
        found = Path(path).expanduser().resolve()
        if not found.is_file():
            raise InputError(
                f"{said} {profile_name}@{path}: {found} is not there. The driver cannot be loaded from it. "
                "Give an .icd file or a driver library."
            )
        return _as_icd(found, scratch), ""
    for candidate in profile.icds:
        found = Path(_fill(candidate))
        if found.is_file():
            return _as_icd(found, scratch), ""
    return "", (
        f"Profile {profile_name}: no driver is installed (looked for "
        f"{', '.join(map(_fill, profile.icds)) or 'nothing'}). "
        f"{profile.missing or 'Install the driver.'} `weekops drivers` shows what is there."
    )


def _as_icd(path: Path, scratch: Path) -> str:
    """The path itself when it is an ICD file; for a library, an ICD file in ``scratch`` that names it."""
    if path.suffix == ".icd":
        return str(path)
    name = re.sub(r"\W+", "-", str(path)).strip("-")
    icd = scratch / f"{name}.icd"
    icd.write_text(f"{path}\n", encoding="utf-8")
    return str(icd)


def _fill(pattern: str) -> str:
    spec = importlib.util.find_spec("pyopencl")
    origin = Path(spec.origin).parent if spec is not None and spec.origin else Path("/nonexistent")
    return pattern.format(
        vendors=os.environ.get("WEEKOPS_ICD_DIR", _VENDORS), pyopencl=origin / ".libs", prefix=sys.prefix
    )
