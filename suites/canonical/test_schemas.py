"""Schema checks that need no device: every policy, platform file, kernel catalogue and recent artifact."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from pytest_weekops.api import (
    artifact,
    data_dir,
    decision_schema,
    load_policy,
    load_profiles,
    policy_files,
    read_journal,
    report_directory,
    variant_names,
)

RECENT = 20


def policies(config: pytest.Config) -> list[Path]:
    """The shipped policies and the project's own."""
    dirs = {data_dir("policies").resolve(), (config.rootpath / "policies").resolve()}
    return [path for directory in sorted(dirs) for path in policy_files(directory)]


def test_policies_are_valid(pytestconfig: pytest.Config) -> None:
    """Every policy file loads under the strict rules and names itself."""
    paths = policies(pytestconfig)
    assert paths, "there is no policy at all"
    assert all(load_policy(path).policy_id for path in paths)


def test_platform_profiles_are_valid() -> None:
    """The shipped platform profiles load, and auto names only profiles that exist."""
    profiles = load_profiles()
    assert profiles.auto
    assert set(profiles.auto) <= set(profiles.profiles)


def test_kernel_catalogue_is_valid() -> None:
    """The shipped catalogue loads and has the variant that every compiler survives."""
    assert "scalar" in variant_names((str(data_dir("kernels")),))


def test_recent_artifacts_are_whole(pytestconfig: pytest.Config) -> None:
    """The newest runs' decisions fit the schema, and their files have the hashes the decisions name."""
    decisions = sorted(report_directory(pytestconfig).glob("*/decision.json"), key=lambda path: path.stat().st_mtime)
    validator = jsonschema.Draft202012Validator(decision_schema())
    for path in decisions[-RECENT:]:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not str(document.get("schema", "")).startswith("weekops-decision/"):
            continue
        problems = [error.message for error in validator.iter_errors(document)]
        assert not problems, f"{path}: {problems[0]}"
        for entry in document["artifacts"]:
            assert artifact(path.parent / entry["path"], path.parent) == entry, f"{path.parent / entry['path']} changed"
        assert read_journal(path.parent / "journal.jsonl")
