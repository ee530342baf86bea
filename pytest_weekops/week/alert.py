"""Alerts of a closed week in Alertmanager's v2 form, to a file, standard output, or a URL with retries."""

from __future__ import annotations

import http.client
import json
import os
import stat
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.files.atomic import write_atomic

DELAYS_S = (0.5, 1.0, 2.0)
TIMEOUT_S = 5.0  # of each wait for the server
DEADLINE_S = 10.0  # of a whole attempt, whatever the server does
ALERTS_PATH = "/api/v2/alerts"


@dataclass(frozen=True)
class Delivery:
    """How an alert went out: how often it was tried, and why it did not arrive where it did not."""

    delivered: bool
    attempts: int
    problem: str = ""
    emitted: bool = True


def build_alerts(document: Mapping[str, Any], acta: Path) -> list[dict[str, Any]]:
    """The alerts of a week's decision: one for SEV1 to SEV3, none for SEV4."""
    severity = document["severity"]
    if severity["level"] >= 4:
        return []
    labels = {
        "alertname": "WeekopsDriverNotPromoted",
        "severity": f"SEV{severity['level']}",
        "week": document["review_id"],
        "decision": document["block_decision"],
        "channel": document["channel"]["state"],
        "owner": severity["owner"],
    }
    annotations = {
        "summary": f"Week {document['review_id']} is {document['block_decision']} at SEV{severity['level']}",
        "description": document["block_rationale"],
        "action": severity["action"],
        "deadline": severity["deadline"] or "",
        "why": " ".join(document["channel"]["why"]),
    }
    generator = acta.resolve().as_uri()
    return [
        {
            "labels": {key: str(value) for key, value in labels.items()},
            "annotations": {key: str(value) for key, value in annotations.items()},
            "startsAt": document["closed_at"],
            "generatorURL": generator,
        }
    ]


def deliver(alerts: list[dict[str, Any]], target: str, *, sleep: Callable[[float], None] = time.sleep) -> Delivery:
    """Send alerts to ``-``, a file or an http(s) URL. Nothing to send is healthy. Never raises."""
    if not alerts:
        return Delivery(delivered=True, attempts=0, emitted=False)
    text = json.dumps(alerts, indent=2, sort_keys=True) + "\n"
    try:
        if target == "-":
            _print(text)
        elif is_url(target):
            return _post(text.encode(), target, sleep)
        else:
            write_atomic(alert_file(target), text)
    except (WeekopsError, OSError, ValueError) as error:
        return Delivery(delivered=False, attempts=1, problem=str(error))
    return Delivery(delivered=True, attempts=1)


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads; what is left in the buffer must not fail once more at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def is_url(target: str) -> bool:
    """Whether a target is an http(s) URL, as opposed to a file or ``-``. Raises ``InputError`` for what is neither."""
    try:
        parts = urllib.parse.urlsplit(target)
        _ = parts.port
    except ValueError as error:
        raise InputError(
            f"--alert {shown(target)!r:.90} is no URL: {error}. Correct it; nothing was changed."
        ) from error
    if parts.scheme in ("http", "https") and parts.hostname and not parts.username:
        return True
    if not target or "://" in target or "\0" in target or target.startswith(("http:", "https:")):
        raise InputError(
            f"--alert {shown(target)!r:.90} is neither a file, nor -, nor an http or https URL with a host and without "
            "a password. The alert would reach nobody. Correct it; nothing was changed."
        )
    return False


def refuse_target(target: str) -> None:
    """Raise ``InputError`` for a target that no alert can be delivered to; nothing is written."""
    if target != "-" and not is_url(target):
        alert_file(target)


def alert_file(target: str) -> Path:
    """The file that a target names, links followed. Raises ``InputError`` where something else is there."""
    try:
        path = Path(target).resolve()
        mode = path.stat().st_mode
    except FileNotFoundError:
        return path
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links that lead in a circle
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"--alert {target!r:.90} cannot be used: {why}. The alert would reach nobody. Name a file; nothing was "
            "changed."
        ) from error
    if not stat.S_ISREG(mode):
        raise InputError(
            f"--alert {target!r:.90} is there and is no regular file. An alert file is put in place by a rename, which "
            "would take a pipe or a device away and tell nobody. Name a file, or `-` for standard output; nothing was "
            "changed."
        )
    return path


def shown(target: str) -> str:
    """A target without what may be secret in it: the user's part and the query of a URL."""
    head, colon, rest = target.partition("://")
    if not colon:
        return target
    place, slash, path = rest.split("?")[0].partition("/")
    return f"{head}://{place.rpartition('@')[2]}{slash}{path}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET, without the alert: it counts as refused."""

    def redirect_request(self, *_args: Any, **_options: Any) -> None:
        """Follow none."""


def _post(body: bytes, target: str, sleep: Callable[[float], None]) -> Delivery:
    parts = urllib.parse.urlsplit(target)
    url = parts._replace(path=ALERTS_PATH).geturl() if parts.path in ("", "/") else target
    problem = ""
    for attempt in range(1, len(DELAYS_S) + 2):
        final, problem = _try_in_time(body, url)
        if not problem:
            return Delivery(delivered=True, attempts=attempt)
        if final or attempt > len(DELAYS_S):
            return Delivery(delivered=False, attempts=attempt, problem=problem)
        sleep(DELAYS_S[attempt - 1])
    return Delivery(delivered=False, attempts=len(DELAYS_S) + 1, problem=problem)  # pragma: no cover


def _try_in_time(body: bytes, url: str) -> tuple[bool, str]:
    """One try that ends in time: a limit on each read does not end an answer that comes drop by drop."""
    answers: list[tuple[bool, str]] = []
    thread = threading.Thread(target=lambda: answers.append(_try_once(body, url)), daemon=True)
    thread.start()
    thread.join(DEADLINE_S)
    return answers[0] if answers else (False, f"no whole answer within {DEADLINE_S:g} s")


def _try_once(body: bytes, url: str) -> tuple[bool, str]:
    """Whether another try is pointless, and what went wrong; nothing where it arrived."""
    try:
        request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"}, method="POST")  # noqa: S310 - http or https, checked by the caller
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S) as answer:
            answer.read(65536)
            return False, ""
    except urllib.error.HTTPError as error:
        with error:
            return 300 <= error.code < 500 and error.code not in (408, 429), f"answered {error.code} {error.reason}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return False, str(getattr(error, "reason", error)) or type(error).__name__
