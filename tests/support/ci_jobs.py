"""What the jobs of CI systems would give to a shell, and our own commands in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

_PROGRAMS = ("pytest", "weekops")
_ENDS = re.compile(r"[&|;()]+")
_SETTING = re.compile(r"\w+=")
_GROOVY_SHELL = re.compile(r"\bsh\s+(?:'''(.*?)'''|'([^'\n]*)')", re.DOTALL)


def steps(workflow: Mapping[str, Any]) -> Iterator[str]:
    """The scripts of a GitHub workflow, or of a file of GitLab's, in order. Raises ``KeyError`` for a job without."""
    if "jobs" in workflow:
        for job in workflow["jobs"].values():
            yield from (step["run"] for step in job["steps"] if "run" in step or not step["uses"])
        return
    for name, job in workflow.items():
        if name not in ("stages", "variables", "workflow", "default", "include"):
            yield from (line for part in ("before_script", "script", "after_script") for line in job.get(part, ()))


def shell_of_pipeline(text: str) -> list[str]:
    """The scripts of a Jenkins pipeline in single quotes, as Groovy would hand them on."""
    return [(long or short).replace("\\\\", "\\") for long, short in _GROOVY_SHELL.findall(text)]


def our_commands(script: str) -> Iterator[list[str]]:
    """Each command of a shell script that is ours: its program's name and its words, redirections left out."""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        yield from _ours(list(lexer))


def _ours(tokens: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for token in [*tokens, ";"]:
        if not _ENDS.fullmatch(token):
            command.append(token)
            continue
        words = command[: next((at for at, word in enumerate(command) if word in (">", ">>", "<")), None)]
        while words and _SETTING.match(words[0]):
            words = words[1:]
        if words and (program := words[0].rpartition("/")[2]) in _PROGRAMS:
            yield [program, *words[1:]]
        command = []
