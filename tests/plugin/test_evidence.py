"""``--evidence`` on the command line and in the ini file: which suites a plan asks for, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.plugin.choices import Choices
from pytest_weekops.plugin.planning import build_plan

KNOWN = """\
version: 1
conformance:
  - driver: {profile: rusticl, driver_version: "22"}
    suite: piglit
    test: api@one
    kind: fail
    reason: a bug
    owner: us
    expires: 2026-12-31
  - driver: {profile: rusticl, driver_version: "22"}
    suite: cts
    test: test_api/one
    kind: fail
    reason: a bug
    owner: us
    expires: 2026-12-31
"""


def _plan(pytester: pytest.Pytester, kind: str, *words: str) -> CampaignPlan:
    labels = ["clover", "rusticl"] if kind == "split" else ["pocl"]
    return build_plan(pytester.parseconfig(*words), kind, labels=labels, entries={})


@pytest.mark.parametrize("how", ["--evidence", "--weekops-evidence", "ini"])
@pytest.mark.parametrize("kind", ["weekly", "split"])
def test_suites_and_what_is_known_of_them_are_in_the_plan(pytester: pytest.Pytester, kind: str, how: str) -> None:
    """However they are named; a path is for whoever opens the run, and known tests of other suites stay out."""
    assert _plan(pytester, kind).evidence == ()
    (pytester.path / "known.yaml").write_text(KNOWN, encoding="utf-8")
    words = ["--expectations", "known.yaml"]
    if how == "ini":
        pytester.makeini("[pytest]\nweekops_evidence = piglit junit=results/r.xml\n")
    else:
        words += [how, "piglit", "junit=results/r.xml"]
    plan = _plan(pytester, kind, *words)
    assert plan.evidence == ("piglit", "junit")
    assert [one.test for one in plan.known_tests] == ["api@one"]
    choices = Choices(pytester.parseconfig(*words), kind)
    assert choices.evidence == (("piglit", None), ("junit", Path(pytester.path) / "results" / "r.xml"))
    choices.close()


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["piglitt"], r"--evidence 'piglitt' names no suite whose results can be read.*Did you mean piglit"),
        (["cts="], r"--evidence 'cts=' names no suite"),
        (["piglit", "piglit=DIR"], r"--evidence names piglit more than once"),
        (["piglit", "tests/"], r"--evidence swallowed 'tests/'"),
    ],
)
def test_what_would_not_be_taken_in_is_refused(pytester: pytest.Pytester, words: list[str], refusal: str) -> None:
    """A suite that nobody knows, one without its path, one twice, and the tests to run."""
    with pytest.raises(pytest.UsageError, match=refusal):
        _plan(pytester, "weekly", "--evidence", *words)


def test_a_canonical_run_compares_no_drivers(pytester: pytest.Pytester) -> None:
    """The option is refused where it is typed, and an ini file's is for other runs."""
    with pytest.raises(pytest.UsageError, match="this is a canonical one"):
        _plan(pytester, "canonical", "--evidence", "piglit")
    pytester.makeini("[pytest]\nweekops_evidence = piglit\n")
    assert _plan(pytester, "canonical").evidence == ()


def test_known_tests_that_cannot_be_read_are_refused(pytester: pytest.Pytester) -> None:
    """In either campaign."""
    (pytester.path / "known.yaml").write_text(KNOWN.replace("a bug", '""'), encoding="utf-8")
    for kind in ("weekly", "split"):
        with pytest.raises(pytest.UsageError, match=r"Expectations known\.yaml"):
            _plan(pytester, kind, "--evidence", "piglit", "--expectations", "known.yaml")
