"""Pages of synthetic runs, and what a reader of HTML finds in one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

from pytest_weekops.core.judge.campaign import Campaign, live_campaign
from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.policies.files import default_policy
from pytest_weekops.report.decision import build_decision, count_records
from pytest_weekops.report.page.showing import show_page
from pytest_weekops.report.page.shown import Page
from tests.support.synthetic import STARTED, Records, make_identity


class Seen(HTMLParser):
    """Tags, ids, links and all attributes of a page, and its text without styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a tag."""
        self._in_style = tag == "style"
        self.tags[tag] += 1
        for name, value in attrs:
            self.attributes.append((name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            elif name == "href" and tag == "a":
                self.links.append(value or "")

    def handle_data(self, data: str) -> None:
        """Remember text."""
        if not self._in_style:
            self.text += f"{data} "

    def handle_endtag(self, tag: str) -> None:
        """A style ends."""
        self._in_style = self._in_style and tag != "style"

    @property
    def words(self) -> str:
        """The text with single spaces."""
        return " ".join(self.text.split())


def judged(
    plan: CampaignPlan, records: Records, *, policy: Policy | None = None, identities: Mapping[str, Any] | None = None
) -> tuple[Policy, Campaign, Verdict, dict[str, Any]]:
    """Policy, campaign, verdict and decision document of synthetic records."""
    policy = policy or default_policy()
    identities = identities or {name: make_identity(name) for name in plan.platforms}
    campaign = live_campaign(plan, records, identities=identities, created_at=STARTED)
    verdict = judge(policy, campaign)
    document = build_decision(
        verdict,
        run_id="run",
        created_at=STARTED,
        command=("pytest", "suites/weekly"),
        exit_status=int(verdict.exit_status),
        plan=plan,
        policy=policy.effective(),
        identities=identities,
        kernels={"kernels/packed.cl": "0" * 64},
        counts=count_records(records, campaign.plan, campaign.identities),
        artifacts=(),
    )
    return policy, campaign, verdict, document


def shown(plan: CampaignPlan, records: Records, files: Sequence[Mapping[str, Any]] = (), **facts: Any) -> Page:
    """What the page of synthetic records shows."""
    return show_page(*judged(plan, records, **facts), files)
