"""Kept results: whole and unchanged or refused; and what all runs of one driver say together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.evidence.conformance.store import all_kept, is_kept, keep, kept, of_one_driver
from tests.support.conformance import HEALTHY, results

LATER, LATEST = "2026-11-25T12:00:00+00:00", "2026-11-26T12:00:00+00:00"


def test_what_is_kept_is_read_back_or_refused(tmp_path: Path) -> None:
    """By its hash: a status that was edited, half a file, another schema. One bad file refuses the suite."""
    path = keep(tmp_path, results())
    assert kept(path) == results()
    assert path.name.startswith("piglit-pocl-20261124T120000-")
    assert all_kept(tmp_path, "piglit") == (results(),)
    assert all_kept(tmp_path, "cts") == ()
    assert (is_kept(path, "piglit"), is_kept(tmp_path, "piglit"), is_kept(tmp_path, "cts")) == (True, True, False)
    assert not is_kept(tmp_path / "absent.json", "piglit")
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    for bad in (text.replace('"fail"', '"pass"'), text[:-20], json.dumps({**document, "schema": "x"}), "[]"):
        path.write_text(bad, encoding="utf-8")
        with pytest.raises(InputError, match="An older file must not stand in for it"):
            all_kept(tmp_path, "piglit")


def test_running_a_suite_until_it_is_green_makes_no_test_pass() -> None:
    """The newest run counts, and what went wrong in another run of the same driver and version is flaky."""
    bad = results({**HEALTHY, "api@one": "crash"})
    good = results(created_at=LATER)
    for order in ([bad, good], [good, bad]):
        found = of_one_driver(order)
        assert found is not None
        assert (found.created_at, found.by_test["api@one"].status, found.by_test["api@two"].status) == (
            LATER,
            "flaky",
            "pass",
        )
    worse = of_one_driver([good, results({**HEALTHY, "api@one": "crash"}, created_at=LATEST)])
    assert worse is not None
    assert worse.by_test["api@one"].status == "crash"
    other = of_one_driver([results({**HEALTHY, "api@one": "crash"}, version="cl-0"), good])
    assert other is not None
    assert other.by_test["api@one"].status == "pass"
    assert of_one_driver([]) is None


def test_leaving_a_failing_test_out_does_not_help() -> None:
    """A whole run comes before a newer part of it, and what failed in any of them is known."""
    part = results({"api@one": "pass"}, created_at=LATER, selection=("-t one",))
    whole = results({**HEALTHY, "api@one": "fail"})
    found = of_one_driver([whole, part])
    assert found is not None
    assert found.by_test == whole.by_test
    narrower = results({"api@two": "pass"}, created_at=LATEST, selection=("-t two",))
    both = of_one_driver([results({"api@one": "fail"}, selection=("-t one",)), narrower])
    assert both is not None
    assert {one.test: one.status for one in both.tests} == {"api@two": "pass", "api@one": "fail"}
