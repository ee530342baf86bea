"""What the command line, the ini file and hooks choose for a campaign: policy, platforms, kernels, scratch space."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from pytest_weekops.core.errors import DeviceError, InputError
from pytest_weekops.files.scratch import Scratch
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.plugin.options import Options, report_directory
from pytest_weekops.plugin.planning import DEFAULT_SIZES, asked_kernels, build_plan, evidence_sources

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.catalog import KernelEntry
    from pytest_weekops.core.measurement.plan import CampaignPlan, Partner
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.worker.process import Launch

T = TypeVar("T")
AA_DIRECTORY = "aa"
_SPLIT_DEFAULTS = (("baseline-platform", "clover"), ("candidate-platform", "rusticl"))


@dataclass(frozen=True)
class SuiteKernels:
    """What a suite's mark says of its kernels: those that it measures, and the name of the channel that it moves.

    What was measured of other kernels must not stand for a week's GEMM: it neither promotes nor pins there.
    """

    kernels: tuple[str, ...] = ()
    channel: str = ""

    @classmethod
    def of(cls, mark: pytest.Mark | None) -> SuiteKernels:
        """From a mark ``weekops_campaign``. Raises ``pytest.UsageError`` for kernels without a channel."""
        given = mark.kwargs if mark is not None else {}
        named, channel = given.get("kernels", ()), given.get("channel", "")
        kernels = (named,) if isinstance(named, str) else tuple(named)
        if bool(kernels) != bool(channel) or not re.fullmatch(r"([a-z][a-z0-9-]*)?", str(channel)):
            raise pytest.UsageError(
                f"weekops_campaign(kernels={kernels!r:.80}, channel={channel!r:.40}): a suite with kernels of its own "
                "has a channel of its own, so that its verdict stands for no other. Give both, the channel as a name "
                'of small letters, digits and hyphens: kernels=("level1",), channel="workloads".'
            )
        return cls(kernels, str(channel))


def usage(action: Callable[[], T]) -> T:
    """Run an action; what the user got wrong becomes a usage error (status 4)."""
    try:
        return action()
    except (InputError, DeviceError) as error:
        raise pytest.UsageError(str(error)) from error


class Choices:
    """The choices of one pytest run, each read when it is first asked for. Refusals are ``pytest.UsageError``."""

    def __init__(self, config: pytest.Config, kind: str = "") -> None:
        self.config = config
        self.options = Options(config)
        self._scratch = Scratch()
        self.scratch = self._scratch.path
        self._kind = kind
        self._launches: list[Launch] = []
        self._partner: Launch | None = None
        self._is_partner_settled = False
        self._policy: Policy | None = None
        self._suite: SuiteKernels | None = None

    @property
    def kind(self) -> str:
        """The kind of campaign; empty while no campaign test is known."""
        return self._kind

    def settle_kind(self, kind: str) -> None:
        """Settle the kind, which decides which platforms are meant: a split names two of its own."""
        self._kind, self._launches, self._partner, self._is_partner_settled = kind, [], None, False

    def settle_suite(self, suite: SuiteKernels) -> None:
        """Settle what is measured where the options name nothing, and in whose channel. Refuses two of them."""
        if self._suite not in (None, suite):
            raise pytest.UsageError(
                "Two suites that measure other kernels were collected in one run. Each has its own verdict and its own "
                "exit status. Run them one after the other: pytest suites/weekly, then pytest suites/workloads."
            )
        self._suite = suite

    @property
    def channel(self) -> str:
        """The directory of the suite's own channel below the report directory; empty for the driver's."""
        return self._suite.channel if self._suite is not None else ""

    @property
    def report_dir(self) -> Path:
        """The directory of all run directories.

        A suite with kernels of its own has one of its own below it, with ledger, pins and channel; a driver against
        itself has one, and no channel.
        """
        directory = report_directory(self.config) / self.channel
        return directory / AA_DIRECTORY if self.is_aa else directory

    @property
    def is_aa(self) -> bool:
        """Whether one driver is measured against itself. Refuses it where it says nothing (``pytest.UsageError``)."""
        return self.options.given("aa")

    @property
    def policy(self) -> Policy:
        """The policy of this run."""
        if self._policy is None:
            from pytest_weekops.policies.files import default_policy, load_lane_policy, load_policy

            path = self.options.text("policy")
            policy = usage(lambda: load_policy(Path(path)) if path else default_policy())
            t3, t5 = self.options.text("t3-policy"), self.options.text("t5-policy")
            policy = usage(lambda: load_lane_policy(policy, "t3", Path(t3))) if t3 else policy
            self._policy = usage(lambda: load_lane_policy(policy, "t5", Path(t5))) if t5 else policy
        return self._policy

    @property
    def platform_files(self) -> tuple[Path, ...]:
        """Files with platform profiles of the user's own: from the ini option, then from hooks."""
        files = [Path(p) for p in self.config.getini("weekops_platform_files")]
        for more in self.config.hook.pytest_weekops_platform_files(config=self.config):
            files.extend(more)
        return tuple(files)

    @property
    def launches(self) -> list[Launch]:
        """How to start each selected platform."""
        if not self._launches:
            from pytest_weekops.drivers.platforms import resolve_platforms

            names = self._platform_names()
            self._launches = usage(
                lambda: resolve_platforms(
                    names,
                    scratch=self.scratch,
                    device_pattern=self.options.text("device"),
                    profile_files=self.platform_files,
                    twice=self.is_aa,
                    say=self._say_aside,
                    said=self._platform_options(),
                )
            )
        return self._launches

    def _say_aside(self, line: str) -> None:
        """Say what is waited for before there is a run; tests are still being collected."""
        from pytest_weekops.plugin.progress import Progress

        Progress(self.config).say(f"weekops: {line}")

    @property
    def partner(self) -> Launch | None:
        """How to start who takes turns with the others: the driver in service, the reference driver, or nobody."""
        if not self._is_partner_settled:
            self._partner, self._is_partner_settled = self._find_partner(), True
        return self._partner

    def _find_partner(self) -> Launch | None:
        against, said = self.options.text("against"), self.options.said("against")
        if against is None:
            return self._reference()
        if self.kind == "canonical" or (self.kind == "split" and not self.options.given("against")):
            return None  # of an ini file, for weekly runs
        self._refuse_against(said)
        from pytest_weekops.drivers.platforms import resolve_against

        launches = self.launches
        return usage(
            lambda: resolve_against(
                against,
                launches,
                scratch=self.scratch,
                device_pattern=self.options.text("device"),
                profile_files=self.platform_files,
            )
        )

    def _reference(self) -> Launch | None:
        """The reference driver: of a suite with kernels of its own where it is asked for, of the week unless it is off.

        Unasked, it is none where neither works here.
        """
        asked = self.options.text("reference-driver") or ("auto" if not self.channel else "off")
        if asked == "off" or self.kind != "weekly" or (asked == "auto" and not self._has_long_launches):
            return None
        return usage(lambda: self._find_reference(asked))

    @property
    def _has_long_launches(self) -> bool:
        """Whether something is measured in which it takes turns unasked: GEMM, from a size on."""
        from pytest_weekops.core.measurement.plan import UNASKED_FROM

        if max(self.options.integers("sizes", DEFAULT_SIZES, least=1)) < UNASKED_FROM:
            return False
        entries = self._entries
        kernels = asked_kernels(self.options, self.kind, entries, self._own_kernels)
        return any(name not in entries or entries[name].operation == "gemm" for name in kernels)

    def _find_reference(self, asked: str) -> Launch | None:
        from pytest_weekops.drivers.auto import NoDriverWorks
        from pytest_weekops.drivers.platforms import reference_launch

        try:
            return reference_launch(self.scratch, self.launches, name=None if asked in ("auto", "on") else asked)
        except NoDriverWorks:
            if asked == "auto":
                return None
            raise

    def _refuse_against(self, said: str) -> None:
        if self.kind != "weekly":
            raise pytest.UsageError(
                f"{said} speaks of a weekly campaign, and this is a {self.kind} one, which names its two drivers with "
                f"{self.options.said('baseline-platform')} and {self.options.said('candidate-platform')}. Leave it out."
            )
        for name in ("baseline", "no-baseline"):
            if self.options.text(name) if name == "baseline" else self.options.typed(name) is not None:
                raise pytest.UsageError(
                    f"{said} stands beside {self.options.said(name)}. Speed is held against the driver in service or "
                    "against a pinned baseline, and one verdict speaks of one of them. Leave one of the two out."
                )

    @property
    def labels(self) -> list[str]:
        """Labels of the selected platforms; in a split the baseline's first."""
        return [launch.label for launch in self.launches]

    def _platform_names(self) -> list[str]:
        if self.is_aa:
            return self._same_twice()
        if self.kind == "split":
            return [self.options.text(name) or default for name, default in _SPLIT_DEFAULTS]
        return self.options.words("platforms") or ["auto"]

    def _platform_options(self) -> list[str]:
        """The options that name the two of a split; none where it is ``--platforms``."""
        is_pair = self.kind == "split" and not self.is_aa
        return [self.options.said(name) for name, _default in _SPLIT_DEFAULTS] if is_pair else []

    def _same_twice(self) -> list[str]:
        """The one driver of ``--aa``, as both sides of a split."""
        said, words = self.options.said("aa"), self.options.words("platforms") or ["auto"]
        if self.kind != "split":
            raise pytest.UsageError(
                f"{said} measures one driver against itself, and this is no split but a {self.kind} run, which has one "
                f"side. Use: pytest suites/split {said} --platforms {words[0]}"
            )
        if len(words) != 1 or any(self.options.given(name) for name, _default in _SPLIT_DEFAULTS):
            raise pytest.UsageError(
                f"{said} measures one driver against itself, and two were named. Two drivers are compared without it; "
                f"name one with --platforms."
            )
        return words * 2

    @property
    def kernel_dirs(self) -> tuple[str, ...]:
        """Kernel directories, the user's first."""
        dirs = [Path(p) for p in self.config.getini("weekops_kernel_dirs")]
        for more in self.config.hook.pytest_weekops_kernel_dirs(config=self.config):
            dirs.extend(more)
        own = self.config.rootpath / "kernels"
        shipped = data_dir("kernels")
        if (own / "catalog.yaml").is_file() and own.resolve() != shipped.resolve():
            dirs.append(own)
        return tuple(str(path) for path in (*dirs, shipped))

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the kernel variants in the catalogues."""
        from pytest_weekops.files.catalog import variant_names

        return usage(lambda: variant_names(self.kernel_dirs))

    @cached_property
    def _entries(self) -> dict[str, KernelEntry]:
        from pytest_weekops.files.catalog import kernel_entries

        variants = self.variants  # whose files are there
        found = usage(lambda: kernel_entries(self.kernel_dirs))
        return {name: found[name] for name in variants}

    @property
    def tuning(self) -> Path | None:
        """The directory of tuning files, or None where they are off."""
        from pytest_weekops.evidence.tunings import tuning_directory

        asked = self.options.text("tuning")
        return usage(lambda: tuning_directory(asked, report_directory(self.config), self.config.rootpath))

    @property
    def evidence(self) -> tuple[tuple[str, Path | None], ...]:
        """Each conformance suite that is asked for, with where its results lie where that was said."""
        here = self.config.invocation_params.dir
        return tuple((suite, here / path if path else None) for suite, path in evidence_sources(self.options))

    def plan(self, gates: tuple[str, ...] = ()) -> CampaignPlan:
        """The frozen plan, with the canonical tier's gates that were collected."""
        return build_plan(
            self.config,
            self.kind,
            labels=self.labels,
            entries=self._entries,
            gates=gates,
            partner=self._plans_partner(),
            kernels=self._own_kernels,
        )

    @property
    def _own_kernels(self) -> tuple[str, ...]:
        """Kernels that the suite measures where the options name none."""
        return self._suite.kernels if self._suite is not None else ()

    def _plans_partner(self) -> Partner | None:
        from pytest_weekops.core.measurement.plan import Partner

        launch = self.partner
        if launch is None:
            return None
        against = self.options.text("against")
        if against:
            return Partner(label=launch.label, role="service", asked=against)
        is_required = self.options.text("reference-driver") not in (None, "auto")
        return Partner(label=launch.label, role="reference", asked=launch.profile, required=is_required)

    def close(self) -> None:
        """Remove scratch files."""
        self._scratch.close()
