"""The section of a policy on what others have tested."""

from __future__ import annotations

from pydantic import Field

from pytest_weekops.core.policy.part import PolicyPart


class ConformanceRules(PolicyPart):
    """What is held against a driver by suites that others wrote, where a run takes their results as evidence.

    A crash is never milder than a timeout, nor that than a failure. A policy that does not state this section has the
    hash that it had before there was one.
    """

    #: [days] `conformance_evidence`: older results of the driver under test do not count
    max_age_days: float = Field(default=30.0, gt=0)
    #: [share] of a suite's tests that filters may leave out, in the results of either driver
    max_left_out_share: float = Field(default=0.0, ge=0, le=1)
    #: tests that may be flaky now and were not before; they are rerun, and never count as passed
    max_new_flaky: int = Field(default=0, ge=0)
    severity_of_crash: int = Field(default=1, ge=1, le=3)  #: a test that crashes now, and did not before
    severity_of_timeout: int = Field(default=2, ge=1, le=3)  #: one that does not end any more
    severity_of_failure: int = Field(default=2, ge=1, le=3)  #: one that fails now
    severity_of_lost_test: int = Field(default=2, ge=1, le=3)  #: one that has no result any more
    severity_of_skip: int = Field(default=2, ge=1, le=3)  #: one that is skipped now
    severity_of_flaky: int = Field(default=3, ge=1, le=3)  #: more of them flaky than `max_new_flaky`
    severity_of_missing: int = Field(default=2, ge=1, le=3)  #: results that are not there or are no evidence

    @property
    def levels(self) -> dict[str, int]:
        """Severity of each check on such results."""
        failure = self.severity_of_failure
        timeout = min(self.severity_of_timeout, failure)
        return {
            "conformance_evidence": self.severity_of_missing,
            "conformance_crashes": min(self.severity_of_crash, timeout),
            "conformance_timeouts": timeout,
            "conformance_failures": failure,
            "conformance_lost_tests": self.severity_of_lost_test,
            "conformance_skips": self.severity_of_skip,
            "conformance_flaky": self.severity_of_flaky,
        }
