"""The page of CI jobs: what is read of them can fail, each shows what it promises, the bisection finds the commit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import dekobon_tree_sitter_groovy
import pytest
import tree_sitter
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner

from pytest_weekops.cli.export import FORMS
from tests.support.ci_jobs import our_commands, shell_of_pipeline, steps
from tests.support.pages import ROOT, Block, blocks

PAGE = ROOT / "docs" / "how-to" / "ci-jobs.md"
BLOCKS = blocks(PAGE)


def the_only(language: str, word: str) -> Block:
    """The one block in a language that has a word."""
    (found,) = [block for block in BLOCKS if block.language == language and word in block.text]
    return found


def scripts(system: str) -> list[str]:
    """What a job of the page gives to a shell."""
    if system == "jenkins":
        return shell_of_pipeline(the_only("groovy", "pipeline").text)
    return list(steps(yaml.safe_load(the_only("yaml", {"github": "runs-on", "gitlab": "stages"}[system]).text)))


@pytest.mark.parametrize(
    ("system", "formats"),
    [("github", {"sarif", "badge"}), ("gitlab", {"codequality", "metrics", "badge"}), ("jenkins", {"sarif", "badge"})],
)
def test_each_job_is_whole(system: str, formats: set[str]) -> None:
    """One gate that demands its verdict and names its run; page, comment and findings of that run and of no other."""
    shell = scripts(system)
    commands = [words for script in shell for words in our_commands(script)]
    (gate,) = [words for words in commands if words[0] == "pytest"]
    assert {"--require-verdict", "--report-prefix=$NAME", "--report-dir=$REPORTS"} <= set(gate)
    shows = [words[1:] for words in commands if words[0] == "weekops"]
    assert {words[0] for words in shows} == {"page", "export", "comment", "site"}
    assert {words[1] for words in shows if words[0] != "site"} == {"$RUN"}
    assert [words[1] for words in shows if words[0] == "site"] == ["--report-dir=$REPORTS"]
    assert {words[3] for words in shows if words[0] == "export"} == formats
    assert 'RUN=$(echo "$REPORTS/$NAME"-*)' in "\n".join(shell)
    assert 'pip install "pytest-weekops[cpu]"' in "\n".join(shell)


def problems_of(schema: str, text: str, place: Path) -> str:
    """What check-jsonschema says of a file by a schema that it brings along; nothing where it is valid."""
    place.write_text(text, encoding="utf-8")
    asked = ["--builtin-schema", schema, "--output-format", "json", str(place)]
    done = CliRunner().invoke(check_jsonschema, asked)
    assert done.exit_code in (0, 1), done.output
    return done.output if done.exit_code else ""


@pytest.mark.parametrize(
    ("word", "schema", "right", "wrong"),
    [
        ("runs-on", "vendor.github-workflows", "runs-on: ubuntu-latest", "runson: ubuntu-latest"),
        ("stages", "vendor.gitlab-ci", "when: always", "when: whenever"),
    ],
)
def test_a_job_is_valid_by_its_systems_schema(tmp_path: Path, word: str, schema: str, right: str, wrong: str) -> None:
    """As schemastore publishes it; one key or one value that is none is found."""
    text = the_only("yaml", word).text
    assert problems_of(schema, text, tmp_path / "job.yml") == ""
    assert right in text
    assert problems_of(schema, text.replace(right, wrong), tmp_path / "job.yml") != ""


def test_the_pipeline_is_groovy() -> None:
    """By a grammar of Groovy; a bracket or a quote that is missing is found."""
    parser = tree_sitter.Parser(tree_sitter.Language(dekobon_tree_sitter_groovy.language()))

    def is_groovy(text: str) -> bool:
        return not parser.parse(text.encode()).root_node.has_error

    text = the_only("groovy", "pipeline").text
    assert is_groovy(text)
    assert not is_groovy(text.replace("}", "", 1))
    assert not is_groovy(text.replace("label 'opencl'", "label 'opencl"))


def test_every_format_is_on_the_page() -> None:
    """In the table that says who shows it."""
    text = PAGE.read_text(encoding="utf-8")
    assert not [name for name in FORMS if f"`{name}`" not in text and f"--format {name}`" not in text]


def test_what_stands_in_scripts_is_found() -> None:
    """Behind settings, operators and paths, without what comes behind an output's arrow or in a comment."""
    script = (
        'A=1 .venv/bin/weekops page "$RUN" > x && true || pytest a \\\n --b  # pytest c\nif (weekops d); then e; fi\n'
    )
    assert list(our_commands(script)) == [["weekops", "page", "$RUN"], ["pytest", "a", "--b"], ["weekops", "d"]]


@pytest.fixture
def bench(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A checkout beside the script, with a builder and a gate that do as the commit's files say."""
    (tmp_path / "bisect-driver.sh").write_text(the_only("sh", "ninja").text)
    checkout, suites, tools = (tmp_path / name for name in ("driver", "suites", "bin"))
    gate = f'#!/bin/sh\nexit "$(cat {checkout}/status)"\n'
    builder = f"#!/bin/sh\n! test -e {checkout}/broken\n"
    for place, text in ((suites / ".venv" / "bin" / "pytest", gate), (tools / "ninja", builder)):
        place.parent.mkdir(parents=True)
        place.write_text(text)
        place.chmod(0o755)
    checkout.mkdir()
    names = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = f"{tools}:{os.environ['PATH']}"
    return checkout, {**os.environ, **names, "PATH": path, "SUITES": str(suites), "GIT_CONFIG_GLOBAL": os.devnull}


@pytest.mark.parametrize(
    ("status", "said"),
    [(0, 0), (1, 1), (10, 1), (11, 125), (2, 125), (3, 125), (4, 125), (5, 125), (139, 125)],
)
def test_the_gates_statuses_as_git_asks_for_them(status: int, said: int, bench: tuple[Path, dict[str, str]]) -> None:
    """0 is good, a failed check bad, and whatever decides nothing is skipped."""
    checkout, environment = bench
    (checkout / "status").write_text(str(status))
    command = ["sh", "../bisect-driver.sh"]
    assert subprocess.run(command, cwd=checkout, env=environment).returncode == said
    (checkout / "broken").touch()
    assert subprocess.run(command, cwd=checkout, env=environment).returncode == 125
    (checkout / "broken").unlink()
    assert subprocess.run(command, cwd=checkout, env={**environment, "SUITES": "/nowhere"}).returncode == 255


def test_the_bisection_finds_the_commit(bench: tuple[Path, dict[str, str]]) -> None:
    """Of eight, some of which cannot be built or are not decided, the first that the gate fails."""
    checkout, environment = bench

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=checkout, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "-q")
    commits = []
    for place, status in enumerate((0, 0, 11, 0, 0, 10, 1, 1)):
        (checkout / "status").write_text(f"{status}\n")
        (checkout / "n").write_text(str(place))
        (checkout / "broken").unlink(missing_ok=True)
        if place == 3:
            (checkout / "broken").touch()
        git("add", "-A")
        git("commit", "-qm", str(place))
        commits.append(git("rev-parse", "HEAD"))
    git("bisect", "start", commits[-1], commits[0])
    git("bisect", "run", "sh", "../bisect-driver.sh")
    assert git("rev-parse", "refs/bisect/bad") == commits[5]
