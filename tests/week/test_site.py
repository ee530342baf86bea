"""The site of a small ledger: every link lands, strangers' names are text, and only what changed is written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.calendar import parse_week
from pytest_weekops.core.errors import InputError
from pytest_weekops.report.site.names import pair_name
from pytest_weekops.week import site as week_site
from pytest_weekops.week import site_building, site_work
from pytest_weekops.week.closing import close_week
from pytest_weekops.week.imported import IMPORTED_NAME
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.site import build_site
from pytest_weekops.week.site_building import Built
from pytest_weekops.week.site_files import is_older
from tests.support.ledgers import WITHOUT_TRIGGERS, raw
from tests.support.run_pages import Seen
from tests.support.sites import EVIL, EVIL_RUN, small_reports
from tests.support.weeks import snapshot


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report directory of a small ledger, with its site built once."""
    place = small_reports(tmp_path_factory.mktemp("reports"))
    build_site(place, place / "site")
    return place


@pytest.fixture
def reports(built: Path, tmp_path: Path) -> Path:
    """The same, to be changed; files are as old as those that it was built of."""
    return shutil.copytree(built, tmp_path / "reports", copy_function=shutil.copy2)


def pages(site: Path) -> dict[str, Seen]:
    """Every page by its name."""
    found = sorted(site.rglob("*.html"))
    return {path.relative_to(site).as_posix(): Seen(path.read_text(encoding="utf-8")) for path in found}


def dead(site: Path) -> list[str]:
    """Links of the pages that lead nowhere."""
    found = []
    for name, seen in pages(site).items():
        for link in seen.links:
            place, _, anchor = link.partition("#")
            target = site / Path(name).parent / unquote(place) if place else site / name
            ids = seen.ids if not place else Seen(target.read_text(encoding="utf-8")).ids if target.is_file() else []
            if not target.is_file() or (anchor and anchor not in ids):
                found.append(f"{name}: {link}")
    return found


def test_every_link_lands(built: Path) -> None:
    """From the first page every other one can be reached, and what is gone is said."""
    site = built / "site"
    assert dead(site) == []
    seen = pages(site)
    reached, left = set(), ["index.html"]
    while left:
        name = left.pop()
        reached.add(name)
        for link in seen[name].links:
            target = os.path.normpath(Path(name).parent / unquote(link.partition("#")[0]))
            left += [target] if target in seen and target not in reached and target not in left else []
    assert reached == set(seen)
    (cell,) = (seen[name] for name in seen if name.startswith("cells/pocl-auto-128"))
    assert "(its directory is gone)" in cell.words
    assert "../../first/report.html" in cell.links


def test_what_strangers_wrote_is_text(built: Path) -> None:
    """Names of runs, kernels, drivers and devices full of markup; no script, no handler, nothing fetched."""
    seen = pages(built / "site")
    for name, page in seen.items():
        assert not {"script", "img", "iframe", "object", "link"} & set(page.tags), name
        assert not [attribute for attribute, _value in page.attributes if attribute.startswith("on")], name
        assert not [link for link in page.links if ":" in link], name
    assert EVIL in seen["index.html"].text
    assert EVIL_RUN in seen["weeks/2026-w48.html"].text
    text = (built / "site" / "index.html").read_text(encoding="utf-8")
    assert "default-src &#39;none&#39;" in text
    assert not {"\x1b", "\u202e"} & set(text)


def test_a_week_has_its_acta_as_a_table(built: Path) -> None:
    """Each track with its decision, and what the week owes."""
    seen = pages(built / "site")
    week = seen["weeks/2026-w47.html"]
    for word in (
        "Decision per track",
        "gate",
        "replay",
        "rollback",
        "MISSING",
        "What this week still owes",
        "2026-W47-1",
    ):
        assert word in week.words
    assert "2026-W47-1" in seen["index.html"].words


def test_two_runs_stand_side_by_side(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page has the very numbers and words of the command."""
    words = pages(built / "site")[pair_name("first", "second")].words
    main(["compare", str(built / "first"), str(built / "second"), "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["speed"]["cells"]
    for cell in document["speed"]["cells"]:
        assert f"{cell['ratio']:.3f}" in words
        assert f"{cell['a']['median_ms']:.3f}" in words
    for lines in document["differences"].values():
        assert all(" ".join(line.split()) in words for line in lines)


def test_pages_are_written_where_something_changed(reports: Path) -> None:
    """Nothing the second time; what somebody changed is made again, and what belongs to it no more is removed."""
    site = reports / "site"
    before = snapshot(site)
    again = build_site(reports, site)
    assert (again.written, snapshot(site)) == (0, before)
    (site / "weeks" / "2026-w47.html").write_text("changed", encoding="utf-8")
    (site / "index.html").unlink()
    assert build_site(reports, site).written == 2
    assert snapshot(site) == before
    (site / "own.html").write_text("mine", encoding="utf-8")
    shutil.rmtree(reports / "second")
    fewer = build_site(reports, site)
    assert (fewer.removed, dead(site)) == (1, [])
    assert not (site / pair_name("first", "second")).exists()
    assert (site / "own.html").exists()


def test_a_changed_decision_of_a_run_is_marked(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its cell's history and on the first page, and nowhere once it is again what was recorded; no link hides it.

    Whether a process that is ready draws, as where a site has many pages, or this one.
    """
    site, place = reports / "site", reports / "second" / "decision.json"
    before, body = snapshot(site), place.read_bytes()
    beside = reports / "elsewhere.json"
    beside.write_bytes(body + b"\n")
    monkeypatch.setattr(site_work, "processes", lambda: 2)
    edits: tuple[Callable[[], object], ...] = partial(place.write_bytes, body + b"\n"), partial(_as_link, place, beside)
    for has_many, edit in zip((True, False), edits, strict=True):
        monkeypatch.setattr(week_site, "has_many_pages", partial(_is, has_many))
        monkeypatch.setattr(week_site, "is_older", lambda *_files: True)
        edit()
        assert build_site(reports, site).written == 2
        seen = pages(site)
        (cell,) = (seen[name] for name in seen if name.startswith("cells/pocl-auto-128"))
        assert "D! first" in cell.words
        assert "Run second: Evidence second/decision.json was changed" in seen["index.html"].words
        place.unlink()
        place.write_bytes(body)
        assert build_site(reports, site).written == 2
        assert snapshot(site) == before


def test_a_process_gets_ready_where_the_ledger_has_grown(tmp_path: Path) -> None:
    """By the files that are written anew with it; a site that is not there is older than none."""
    report_dir, site = tmp_path / "reports", tmp_path / "site"
    report_dir.mkdir()
    site.mkdir()
    assert {open_ledger(report_dir).head_path.name, IMPORTED_NAME} == set(week_site.GROWS)
    files = [report_dir / name for name in week_site.GROWS]
    (site / "site.json").write_text("{}", encoding="utf-8")
    assert not is_older(site, *files)
    for file in files:
        file.write_text("{}", encoding="utf-8")
        os.utime(file, ns=(0, 0))
        assert not is_older(site, *files)
        os.utime(file, ns=(1, (site / "site.json").stat().st_mtime_ns + 1))
        assert is_older(site, *files)
        os.utime(file, ns=(0, 0))


def _is(answer: bool, _directory: Path) -> bool:
    return answer


def _as_link(place: Path, target: Path) -> None:
    place.unlink()
    place.symlink_to(target)


def test_another_program_makes_every_page_anew(reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever of it was edited, added, renamed or is of another version; what Python keeps beside it is no part."""
    package = tmp_path / "package"
    (package / "room" / "__pycache__").mkdir(parents=True)
    for name in ("a.py", "room/b.j2", "room/c.css", "room/__pycache__/a.py", "room/d.txt"):
        (package / name).write_text(name, encoding="utf-8")
    monkeypatch.setattr(site_building, "_PACKAGE", package)
    now = site_building._program.__wrapped__
    known = [now()]
    for name in ("a.py", "room/b.j2", "room/c.css", "room/new.py"):
        (package / name).write_text("edited", encoding="utf-8")
        known.append(now())
    (package / "a.py").rename(package / "z.py")
    known.append(now())
    monkeypatch.setattr(site_building, "version", lambda name: f"another {name}")
    known.append(now())
    assert len(set(known)) == len(known)
    (package / "room" / "__pycache__" / "a.py").write_text("edited", encoding="utf-8")
    (package / "room" / "d.txt").write_text("edited", encoding="utf-8")
    assert now() == known[-1]
    monkeypatch.setattr(site_building, "_program", lambda: known[-1])
    result = build_site(reports, reports / "site")
    assert result.written == result.pages
    assert build_site(reports, reports / "site").written == 0


def test_a_changed_journal_is_not_compared(reports: Path) -> None:
    """What the ledger does not vouch for is said, and not shown."""
    journal = reports / "second" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b"\n")
    build_site(reports, reports / "site")
    words = pages(reports / "site")[pair_name("first", "second")].words
    assert "Run second cannot be compared" in words
    assert "was changed" in words
    assert "What else differed" not in words


def test_a_changed_decision_of_a_week_is_not_shown(reports: Path) -> None:
    """The ledger's own numbers stay."""
    place = reports / "weeks" / "2026-W47" / "decision.json"
    place.write_text(place.read_text(encoding="utf-8").replace("MISSING", "fine"), encoding="utf-8")
    build_site(reports, reports / "site")
    words = pages(reports / "site")["weeks/2026-w47.html"].words
    assert "Its decision is not shown" in words
    assert "Decision per track" not in words


def test_copies_stand_alone(reports: Path, tmp_path: Path) -> None:
    """With ``--copy`` no link leads out of the site; a link in place of a page is not followed."""
    (reports / "second" / "report.html").symlink_to(reports / "ledger.sqlite")
    site = tmp_path / "public"
    assert main(["site", "--report-dir", str(reports), "--output", str(site), "--copy"]) == 0
    assert dead(site) == []
    assert len(list((site / "runs").iterdir())) == 2
    for name, seen in pages(site).items():
        for link in seen.links:
            assert (site / Path(name).parent / unquote(link.partition("#")[0])).resolve().is_relative_to(site)


def test_other_peoples_directories_are_left_alone(reports: Path, tmp_path: Path) -> None:
    """A directory with anything in it, a file, and a record that is not ours."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "index.html").write_text("mine", encoding="utf-8")
    (tmp_path / "foreign").mkdir()
    for text in ("{", "[]", '{"schema": "other/1", "pages": {}}', '{"schema": "weekops-site/1", "pages": {"a": 1}}'):
        (tmp_path / "foreign" / "site.json").write_text(text, encoding="utf-8")
        assert main(["site", "--report-dir", str(reports), "--output", str(tmp_path / "foreign")]) == 4
    for place in ("full", "full/index.html"):
        assert main(["site", "--report-dir", str(reports), "--output", str(tmp_path / place)]) == 4
    assert main(["site", "--report-dir", str(reports), "--output", str(reports)]) == 4
    assert (tmp_path / "full" / "index.html").read_text(encoding="utf-8") == "mine"


def test_names_in_the_record_remove_nothing_else(reports: Path, tmp_path: Path) -> None:
    """Whoever edits it cannot have a file outside removed."""
    victim = reports / "victim.html"
    victim.write_text("mine", encoding="utf-8")
    record = reports / "site" / "site.json"
    document = json.loads(record.read_text(encoding="utf-8"))
    document["pages"]["../victim.html"] = document["pages"]["weeks/../../victim.html"] = {"key": "", "sha256": ""}
    record.write_text(json.dumps(document), encoding="utf-8")
    build_site(reports, reports / "site")
    assert victim.exists()


def test_no_ledger_and_a_damaged_one_are_refused(
    reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sentence and exit status 4, and no page of what cannot be trusted."""
    assert main(["site", "--report-dir", str(tmp_path / "empty")]) == 4
    assert "No run was recorded" in capsys.readouterr().err
    raw(open_ledger(reports), *WITHOUT_TRIGGERS, "UPDATE record SET body = replace(body, 'promote', 'iterate')")
    before = snapshot(reports / "site")
    assert main(["site", "--report-dir", str(reports)]) == 4
    assert "does not verify" in capsys.readouterr().err
    assert snapshot(reports / "site") == before


def test_a_record_that_names_another_directory_leads_nowhere(reports: Path) -> None:
    """A run directory is a plain name, whatever the ledger says."""
    from pytest_weekops.core.week.entry import RUN, run_entries

    ledger = open_ledger(reports)
    run = run_entries(ledger.entries())[0]
    body = {**run.model_dump(mode="json", exclude={"seq"}), "run_id": "led-out", "run_dir": "../reports/first"}
    ledger.append(RUN, "led-out", body)
    build_site(reports, reports / "site")
    assert "led-out (its record names no directory)" in pages(reports / "site")["weeks/2026-w47.html"].words


def test_a_week_that_is_closed_later_is_added(reports: Path) -> None:
    """Its page and those that name it follow, and no other."""
    close_week(reports, parse_week("2026-W48"), [])
    result: Built = build_site(reports, reports / "site")
    assert 0 < result.written < result.pages
    assert "Decision per track" in pages(reports / "site")["weeks/2026-w48.html"].words
    with pytest.raises(InputError, match="holds something else"):
        build_site(reports, reports / "first")
