"""A really started web server, with its access log on, and the id of a person who comes in: it is written nowhere."""

import os
import signal
import subprocess
import sys

import httpx
import pytest
from django.db import connection

from annotation.states import Exit
from tests.browser.test_connection import database_url, free_port, wait_until_healthy
from tests.platforms.people import ANA, home_of, make_recruiting_study, prolific_link


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("debug", ["0", "1"])
def test_no_log_and_no_error_page_holds_an_id(tmp_path, debug):
    study = make_recruiting_study("prolific", codes={Exit.COMPLETED: "DONE77"})
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    mine = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": database_url(), "DEBUG": debug}
    with log.open("wb") as out:
        child = subprocess.Popen(
            [*command, "--access-log", "--log-level", "debug", "webapp.wsgi:application"],
            env=os.environ | mine,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until_healthy(f"http://127.0.0.1:{port}/healthz")
            site = f"http://127.0.0.1:{port}"
            with httpx.Client() as browser:
                answer = browser.get(site + prolific_link(study))
                page = browser.get(site + answer.headers["Location"])
            bad = httpx.get(f"{site}{home_of(study)}enter/?PROLIFIC_PID={ANA}&SESSION_ID=")
            broken = _break(site, study)
        finally:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait()
    written = log.read_text()
    assert (answer.status_code, page.status_code, bad.status_code, broken.status_code) == (302, 200, 400, 500)
    assert f"{home_of(study)}enter/" in written
    for text in (written, page.text, bad.text, broken.text, str(answer.headers["Location"])):
        assert ANA not in text
    assert answer.headers["Referrer-Policy"] == "same-origin"


def _break(site: str, study) -> httpx.Response:
    """Make the entrance fail in the middle, as a lost table would, and return the error page."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE annotation_recruitment RENAME TO annotation_recruitment_lost")
        try:
            return httpx.get(site + prolific_link(study))
        finally:
            cursor.execute("ALTER TABLE annotation_recruitment_lost RENAME TO annotation_recruitment")
