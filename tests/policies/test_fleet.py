"""Reading a fleet file: strictly, and every refusal names file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.policies.fleet import load_fleet

TEXT = """\
version: 1
fleet_id: rack
pools:
  a: {label: x, local: {workers: 10}}
  b: {label: y, scheduler: "tls://h:8786", hosts: [w1, w2]}
labels:
  x: {profiles: [pocl], may_be_missing: 1}
  y: {profiles: [rusticl], driver: "25[.]2"}
promotes:
  x: {share: 0.9}
  y: {exceptions: {w2: its fan is broken}}
stages:
  x:
    - {hosts: 1, soak_s: 600}
    - {hosts: 50 %}
    - {hosts: all}
severity:
  checks: {fleet_outlier: 2}
  levels: {3: {within_minutes: 60}}
"""


def write(directory: Path, text: str) -> Path:
    """A fleet file."""
    path = directory / "fleet.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_fleet_file_is_read(tmp_path: Path) -> None:
    """Severities that it does not speak of stay as shipped."""
    fleet = load_fleet(write(tmp_path, TEXT))
    assert len(fleet.hosts) == 12
    assert [stage.count(10) for stage in fleet.stages_of("x")] == [1, 5, 10]
    assert (fleet.severity.checks["fleet_outlier"], fleet.severity.checks["fleet_complete"]) == (2, 1)
    assert fleet.severity.levels[3].within_minutes == 60
    assert fleet.severity.levels[3].owner == "policy owner"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version: 1\n", "", "line 1: version is missing"),
        ("version: 1", "version: true", "line 1: version is True. This program reads version 1."),
        ("version: 1", "version: 2", "version is 2"),
        ("fleet_id: rack\n", "", "fleet_id is missing. Give it a value."),
        ("fleet_id: rack", "fleet_id: 2026-11-28", "Dates and binary data are none"),
        ("workers: 10", "worker: 10", "line 4: pools.a.local.worker is no key of a fleet file.*Did you mean workers?"),
        ("share: 0.9", "zzz: 0.9", "line 10: promotes.x.zzz is no key of a fleet file.*Known here: share, exceptions"),
        ("share: 0.9", "share: yes", "line 10: promotes.x.share is True: input should be a valid number"),
        ("share: 0.9", "share: .nan", "line 10: promotes.x.share is nan"),
        ("share: 0.9", "share: 1", "line 7: labels.x.may_be_missing is 1, and the label's share of 1 leaves 0 of 10"),
        ("workers: 10", "workers: '10'", "line 4: pools.a.local.workers is '10'"),
        ("label: x, ", "label: z, ", "line 4: pools.a.label names the label z, which is not under labels. Known are x"),
        ("hosts: [w1, w2]", "hosts: []", "line 5: pools.b is refused: a pool with `scheduler` names its workers"),
        ("tls://h:8786", "h:8786", "line 5: pools.b.scheduler is 'h:8786': is no address of a scheduler"),
        ("    - {hosts: 50 %}", "    - {hosts: 1}", "line 13: stages.x comes to 1, 1, 10 hosts"),
        ("50 %", "some", "line 1[35]: stages.x.1.hosts is 'some': is no amount of hosts"),
        ("severity:", "severity: 1\nserenity:", "severity is 1"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    """What the file did not mean would otherwise be run on every host."""
    assert old in TEXT
    if new.endswith("serenity:"):
        new = TEXT[: TEXT.index("severity:")] + "severity: 1\n"
        old = TEXT
    with pytest.raises(PolicyError, match=words) as caught:
        load_fleet(write(tmp_path, TEXT.replace(old, new, 1)))
    assert str(caught.value).startswith(f"Fleet file {tmp_path / 'fleet.yaml'}")


@pytest.mark.parametrize(("text", "words"), [("", "holds nothing"), ("- a\n", "holds list"), ("{", "is not YAML")])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """And a file that is not there."""
    with pytest.raises(PolicyError, match=words):
        load_fleet(write(tmp_path, text))
    with pytest.raises(PolicyError, match="Without it nobody knows which hosts are asked for"):
        load_fleet(tmp_path / "none.yaml")
