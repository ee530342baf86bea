"""The end of a run as a terminal of 80 columns shows it: the shipped example, through the plugin's own report."""

from __future__ import annotations

import io
import json
import os
import shlex
from pathlib import Path
from unittest.mock import patch

from _pytest.terminal import TerminalReporter
from rich.console import Console
from rich.text import Text

from generating.options import config_alone
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.plugin.summary import print_conclusion
from pytest_weekops.report.lanes import render_lanes
from pytest_weekops.run.conclusion import Conclusion

EXAMPLE = Path(__file__).resolve().parents[2] / "reports" / "example"
COLUMNS = 80
# Rich's own form, less the fonts that it would fetch from elsewhere.
FORM = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="title">
<title id="title">The last lines of a weekly run: a table of results, and the verdict</title>
<style>.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; \
font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font: 16px system-ui, sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>\
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def report() -> str:
    """What the plugin prints at the end of the example, colours included."""
    stored = read_run(EXAMPLE)
    document = json.loads((EXAMPLE / "decision.json").read_text(encoding="utf-8"))
    verdict = judge_stored(stored)
    stream = io.StringIO()
    with patch.dict(os.environ, {"COLUMNS": str(COLUMNS), "PY_COLORS": "1"}), config_alone("--color=yes") as config:
        os.environ.pop("GITHUB_ACTIONS", None)
        conclusion = Conclusion(
            verdict=verdict,
            document=document,
            exit_status=int(verdict.exit_status),
            run_dir=config.rootpath / "reports" / stored.run_id,
            remarks=verdict.notes,
            lanes=tuple(render_lanes(stored.records)),
        )
        terminal = TerminalReporter(config, stream)
        terminal._tw.hasmarkup = True
        print_conclusion(conclusion, terminal, config)
    return f"$ {shlex.join(document['command'])}\n{stream.getvalue()}"


def picture() -> str:
    """The same as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(report().rstrip("\n")))
    text = console.export_svg(title="pytest suites/weekly", code_format=FORM, unique_id="weekly")
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
