"""Calls to platforms: bounded in time, never redirected, and errors that say no id and no token."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
from django.conf import settings

from annotation.platforms.sona import credit_address

TIMEOUT = httpx.Timeout(10.0, connect=5.0)


class NotNow(Exception):
    """The platform did not answer, or was too busy: the same call may work later."""


class Refused(Exception):
    """The platform will not do this, however often it is asked."""


def move_submission(submission: str, body: Mapping[str, Any]) -> None:
    """Move a submission at Prolific on to another state; `body` names the action. Raises: NotNow, Refused."""
    call_prolific("POST", f"submissions/{submission}/transition/", body)


def call_prolific(method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
    """Call Prolific's API with the site's token. Raises: NotNow, Refused."""
    if not settings.PROLIFIC_TOKEN:
        raise Refused("There is no token for Prolific: set PROLIFIC_TOKEN.")
    headers = {"Authorization": f"Token {settings.PROLIFIC_TOKEN}"}
    address = settings.PROLIFIC_API_URL.rstrip("/") + "/" + path
    return _call(method, address, "Prolific", headers=headers, json=dict(body) if body is not None else None)


def grant_credit(base: str, *, experiment: str, token: str, survey_code: str) -> None:
    """Credit a participant at SONA. Raises: NotNow, Refused where SONA's answer does not say G, for granted."""
    address = credit_address(base, experiment=experiment, token=token, survey_code=survey_code)
    answer = _call("GET", address, "SONA")
    status = re.search(r"""credit_status["'\s:>]+([A-Z])\b""", answer.text)
    if status is None or status[1] != "G":
        raise Refused("SONA did not grant the credit: check the experiment id and the token, then credit by hand.")


def _call(method: str, address: str, name: str, **with_: Any) -> httpx.Response:
    try:
        with httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client:
            answer = client.request(method, address, **with_)
    except httpx.HTTPError as error:
        # The error's own words may hold the address, and with it a token.
        raise NotNow(f"{name} cannot be reached ({type(error).__name__}).") from None
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.status_code >= 500:
        raise NotNow(f"{name} answers {answer.status_code}.")
    if answer.status_code >= 300:
        raise Refused(f"{name} answers {answer.status_code}.")
    return answer
