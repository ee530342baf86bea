"""What a host of a label is switched to, and what back to: two runtime profiles of one report directory there."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from pytest_weekops.core.fleet.reach import Name, Word
from pytest_weekops.core.policy.policy import PolicyPart

_PLATFORM = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}(@/[^\x00-\x1f\x7f]{1,400})?$"
HOST = "{host}"


class Switch(PolicyPart):
    """How a host gets the candidate, and its old driver again: by its runtime profile, as `weekops rollback` does."""

    #: the report directory on each host, whose `runtime/active.env` consumers load: an absolute path, in which `{host}`
    #: stands for the host's name
    report_dir: Word
    candidate: Name  #: the platform that hosts are given, one of the label's `profiles`
    #: the platform that they are rolled back to, as `weekops rollback --platform` takes it: `profile`, `profile@/path`
    baseline: Annotated[str, StringConstraints(pattern=_PLATFORM)]
    #: [s] for one switch or one rollback with its verification; then nobody knows how it ended
    timeout_s: float = Field(default=3600.0, gt=0, le=86_400)

    @field_validator("report_dir")
    @classmethod
    def _is_absolute(cls, value: str) -> str:
        if not value.startswith("/") or re.search(r"[{}]", value.replace(HOST, "")):
            raise ValueError("is no absolute path, in which `{host}` may stand for the host's name")
        return value

    def directory(self, host: str) -> str:
        """The report directory of one host."""
        return self.report_dir.replace(HOST, host)
