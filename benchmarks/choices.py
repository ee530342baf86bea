"""What T3 nominates and takes beside a load, from nothing known each time: python benchmarks/choices.py --load compile.

Three decisions each, with sessions of twenty launches, and again from the start. ``nominated`` counts the decisions in
which trials favoured a variant that did not win side by side, ``taken`` those that took one, and ``fell back`` those
that measured it and found it slower. The load works for two to eight seconds and pauses for as long.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from contextlib import closing

from beside_load import LOADS, beside
from measuring import each, measure

from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.files.scratch import Scratch
from pytest_weekops.policies.files import default_policy
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import SelectorRequest

DECISIONS = 3  # those of the first look


def main() -> int:
    """Decide and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platform", default="pocl")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--load", choices=(*LOADS, "none"), default="compile")
    parser.add_argument("--times", type=int, default=200)
    options = parser.parse_args()
    policy, seen = default_policy(), Counter[str]()
    rules = policy.selector.model_copy(update={"epsilon": 0.0})
    host_limit = {"max_run_delay_percent": policy.host.max_run_delay_percent, "max_wait_s": 20.0}
    with Scratch() as scratch, closing(HostWorker(scratch, Deadlines())) as host, beside(options.load, options.size):
        for supervisor in each([options.platform], scratch):
            for number in range(DECISIONS * options.times):
                memory = str(scratch / f"{number // DECISIONS}.json")
                facts = {"selector": SelectorRequest(rules=rules, memory=memory), **host_limit}
                found = measure(supervisor, host, "auto_t3_controlled", options.size, iterations=20, **facts).selector
                if found is None:
                    sys.exit("the measurement carries no evidence of a selection")
                fell = "fallback" in found.reason
                seen["decisions"] += 1
                seen["nominated"] += "side by side" in found.reason and found.chosen == found.static
                seen["taken"] += fell or found.chosen != found.static
                seen["fell back"] += fell
    print("| load, size | decisions | nominated | taken | fell back |\n| --- | --- | --- | --- | --- |")
    counts = (seen[key] for key in ("decisions", "nominated", "taken", "fell back"))
    print(f"| {options.load}, {options.size} | {' | '.join(map(str, counts))} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
