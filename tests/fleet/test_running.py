"""A fleet run on disk: refused where it cannot be asked, entered once, and seen through where somebody edited it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.fleet import coordinator, running
from pytest_weekops.fleet.book import FleetBook, latest_run
from pytest_weekops.fleet.program import program_sha256
from pytest_weekops.week.ledger import open_ledger
from tests.support.fleet_hosts import Host, ReachDouble, begun, fleet_file, ran


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> FleetBook:
    """A fleet run of one host that promoted."""
    book = begun(tmp_path_factory.mktemp("fleet"), fleet_file(1))
    assert ran(book, ReachDouble({"h-1": Host()})).decision == "promote"
    book.let_go()
    return book


def test_a_run_is_entered_once(decided: FleetBook) -> None:
    """Also where the coordinator was killed between the decision and the ledger, and comes back."""
    reports = running.reports_of(decided)
    for _ in range(2):
        book = running.resume(decided.directory)
        assert ran(book, ReachDouble({})).decision == "promote"
        book.let_go()
    (entry,) = open_ledger(reports).entries()
    assert (entry.kind, entry.key, entry.body["decision"]) == ("fleet", decided.directory.name, "promote")
    assert entry.body["states"] == {"promoted": 1}
    assert latest_run(reports) == decided.directory


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("fleet.json", lambda text: text.replace('"exit_status": 0', '"exit_status": 1', 1), "another one than its"),
        ("fleet.json", lambda text: text.replace('"state": "promoted"', '"state": "lost"', 1), "outcome differs from"),
        ("hosts/h-1/outcome.json", lambda text: text.replace('"promoted"', '"lost"', 1), "outcome differs from"),
        ("hosts/h-1/journal.jsonl", lambda text: text[:-2], "is not the one that was judged"),
        ("fleet.json", lambda text: text + " ", "the hash of another decision"),
    ],
)
def test_an_edit_is_seen(decided: FleetBook, name: str, change: Callable[[str], str], words: str) -> None:
    """Each file is held against what it follows from."""
    path = decided.directory / name
    before = path.read_text("utf-8")
    assert not list(running.problems(decided))
    try:
        write_atomic(path, change(before))
        assert any(words in problem for problem in running.problems(decided))
    finally:
        write_atomic(path, before)


def test_an_outcome_made_up_is_seen(decided: FleetBook) -> None:
    """Consistent through outcome and decision, and not what the journal gives."""
    paths = [decided.directory / "fleet.json", decided.directory / "hosts" / "h-1" / "outcome.json"]
    before = [path.read_text("utf-8") for path in paths]
    try:
        for path in paths:
            document = json.loads(path.read_text("utf-8"))
            outcome = document["outcomes"][0] if "outcomes" in document else document
            outcome["driver"] = "99"
            write_atomic(path, json.dumps(document))
        assert any("its journal gives another outcome" in problem for problem in running.problems(decided))
    finally:
        for path, text in zip(paths, before, strict=True):
            write_atomic(path, text)


def test_what_is_broken_is_refused(decided: FleetBook, tmp_path: Path) -> None:
    """A file that is none is not put right."""
    copy = tmp_path / "fleet" / "fleet-x"
    copy.mkdir(parents=True)
    (copy / "asked.json").write_text("{", "utf-8")
    with pytest.raises(InputError, match=r"asked.json cannot be read"):
        running.resume(copy)
    text = (decided.directory / "asked.json").read_text("utf-8")
    (copy / "asked.json").write_text(text.replace(program_sha256(), "0" * 64), "utf-8")
    with pytest.raises(InputError, match="was begun by another program"):
        running.resume(copy)
    assert list(running.problems(FleetBook(copy))) == ["fleet-x has no decision: it has not ended."]
    with pytest.raises(InputError, match="has no fleet run"):
        latest_run(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("label", "asked", "words"),
    [
        ({"profiles": ["auto"]}, (), "the profile auto, which is another driver on each host"),
        ({"options": ["tests/mine.py"]}, (), "begin with 'tests/mine.py', which is no option"),
        ({}, ("elsewhere",), "begin with 'elsewhere', which is no option"),
        ({"policy": "nowhere.yaml"}, (), "nowhere.yaml"),
    ],
)
def test_what_no_host_could_be_asked_is_refused(
    tmp_path: Path, label: dict[str, object], asked: tuple[str, ...], words: str
) -> None:
    """Before a directory is made."""
    with pytest.raises(InputError, match=words):
        running.begin(tmp_path, fleet_file(1, **label), tmp_path, running.Wanted("weekly", words=asked))
    assert not (tmp_path / "fleet").exists()


def test_a_ledger_that_would_not_take_it_is_refused_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before hosts have measured for hours."""
    monkeypatch.setenv("WEEKOPS_LEDGER", "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(InputError, match="has not joined it"):
        begun(tmp_path, fleet_file(1))
    assert not (tmp_path / "fleet").exists()


def test_local_hosts_take_turns(tmp_path: Path) -> None:
    """They share this machine, so that one at a time is measured, whatever their labels allow."""
    pools = {name: {"label": name, "local": {"workers": 2}} for name in ("a", "b")}
    labels = {name: {"profiles": ["pocl"]} for name in pools}
    fleet = fleet_file().model_validate({"version": 1, "fleet_id": "t", "pools": pools, "labels": labels})
    book = begun(tmp_path, fleet)
    orders = running.orders(book.asked())
    assert orders.turns == dict.fromkeys(("a-1", "a-2", "b-1", "b-2"), (coordinator.LOCAL,))
    reach = ReachDouble({host.name: Host() for host in fleet.hosts})
    assert ran(book, reach).decision == "promote"
    assert reach.most_at_once == 1
