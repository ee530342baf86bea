"""The runtime profile as text: what systemd, a shell and this program read from it is the same, and never a command."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.rollback import parse_environment, plan_rollback
from tests.support.examples import examples
from tests.support.rollbacks import profile

PRINTABLE = st.text(st.characters(exclude_categories=("C", "Zl", "Zp", "Zs")) | st.just(" "), max_size=20)


def sourced(text: str, name: str) -> str:
    """What a POSIX shell has in a variable after reading the file."""
    script = f'eval "$TEXT"; printf %s "${{{name}}}"'
    done = subprocess.run(["sh", "-euc", script], env={"TEXT": text}, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_profile_names_platform_policy_and_guard() -> None:
    """What consumers need, and other platforms' variables emptied."""
    found = profile({"LP_CL": "1"}).environment
    assert found["WEEKOPS_PLATFORM"] == "clover"
    assert found["WEEKOPS_T5_MAX_OVERHEAD_PERCENT"] == "3.5"
    assert found["WEEKOPS_T5_MAX_DISABLE_EVENTS"] == ""
    assert found["OTHER"] == ""
    assert found["LP_CL"] == "1"


@pytest.mark.parametrize(
    "value", ["a b", "$(touch x)", "`touch x`", '"; touch x; "', "a'b", "\\", "\\n", "${HOME}", "# no", "x$", "&& ls"]
)
def test_a_shell_reads_the_value_and_runs_nothing(value: str) -> None:
    """Strange values stay values."""
    text = profile({"VALUE": value}).text
    assert sourced(text, "VALUE") == value
    assert parse_environment(text)["VALUE"] == value


@settings(max_examples=examples(60), deadline=None)
@given(st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), PRINTABLE, max_size=4))
def test_what_is_written_is_read_back(environment: dict[str, str]) -> None:
    """For every printable value."""
    written = profile(environment)
    assert parse_environment(written.text) == written.environment


@pytest.mark.parametrize(("name", "value"), [("A", "x\ny"), ("A", "\x1b[0m"), ("A B", "x"), ("", "x"), ("A=B", "x")])
def test_what_would_become_another_variable_is_refused(name: str, value: str) -> None:
    """Line breaks, control characters, names that are none."""
    with pytest.raises(InputError, match="environment file"):
        profile({name: value})


def test_a_file_written_by_hand_is_read() -> None:
    """Plain values without quotes, beside quoted ones, comments and empty lines; the last one counts."""
    text = '# head\n; also\n\nA=b\n  B=1.5/x:y \nC="a \\"b\\""\nA=c\n'
    assert parse_environment(text) == {"A": "c", "B": "1.5/x:y", "C": 'a "b"'}
    assert parse_environment("") == {}


@pytest.mark.parametrize("line", ["export A=b", "A=$(ls)", "A='b'", 'A="$HOME"', "just words", 'A="unfinished'])
def test_a_line_that_shells_and_systemd_read_differently_is_refused(line: str) -> None:
    """What consumers would get from it is not known."""
    with pytest.raises(InputError, match="line 2"):
        parse_environment(f"# head\n{line}\n")


@pytest.mark.parametrize("platform", ["../../etc/passwd", "a/b", "-rf", "...", "x" * 200, "ä ö"])
def test_a_platforms_name_never_becomes_a_path(platform: str) -> None:
    """Its file lies in the profiles directory, whatever it is called."""
    name = profile({}, platform=platform).file_name
    assert "/" not in name
    assert not name.startswith((".", "-"))
    assert len(name) < 80


def test_the_plan_says_every_step() -> None:
    """And that nothing is switched where the profile is active already."""
    target = profile({})
    facts = {"target": target, "own_steps": [["systemctl", "restart", "x"]], "gate": ["pytest", "--tier", "canonical"]}
    plan = plan_rollback(active="rusticl", same=False, **facts)  # type: ignore[arg-type]
    text = "\n".join(plan.steps)
    assert (plan.from_platform, plan.to_platform) == ("rusticl", "clover")
    assert "from rusticl to clover by one rename" in text
    assert "your own step: systemctl restart x" in text
    assert "pytest --tier canonical" in text
    assert "nothing is switched" in plan_rollback(active="clover", same=True, **facts).steps[0]  # type: ignore[arg-type]
