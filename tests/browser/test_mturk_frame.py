"""The frame on a Mechanical Turk worker's page, in a real browser: preview, work in a tab of its own, and the form."""

from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Route, expect

from annotation.states import Exit
from tests.browser.test_paths import BOTH_SIZES, look, take_part
from tests.platforms.people import home_of, make_recruiting_study
from tests.platforms.test_mturk import SANDBOX, frame_link

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def play_mturk(page: Page, source: str) -> list[dict[str, list[str]]]:
    """The worker's page with a frame in it, on the platform's own address. Returns what its form receives."""
    received: list[dict[str, list[str]]] = []

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            received.append({"path": [route.request.url], **parse_qs(route.request.post_data or "")})
            route.fulfill(body="<h1>Submitted</h1>", content_type="text/html")
        else:
            size, may = 'width="100%" height="600"', 'allow="local-network-access"'
            body = f'<title>Task</title><iframe id="task" title="Task" {size} {may} src="{source}"></iframe>'
            route.fulfill(body=body, content_type="text/html")

    # The platform is out in the world and this server is not: a browser asks before it lets the one show the other.
    page.context.grant_permissions(["local-network-access"], origin=SANDBOX)
    page.context.route(f"{SANDBOX}/**", answer)
    page.goto(f"{SANDBOX}/task")
    return received


def test_mechanical_turks_preview_only_describes(visit, live_server):
    study, page = make_recruiting_study("mturk"), visit()
    play_mturk(page, f"{live_server.url}{home_of(study)}hit/?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=3HIT")
    frame = page.frame_locator("#task")
    expect(frame.get_by_text("This is a preview")).to_be_visible()
    expect(frame.get_by_role("link", name="Open the task")).to_have_count(0)


@pytest.mark.parametrize("size", BOTH_SIZES)
def test_mechanical_turks_frame_notices_the_end_in_the_other_tab_and_submits(visit, live_server, size):
    study, page = make_recruiting_study("mturk", codes={Exit.COMPLETED: "MT77"}), visit(size)
    received = play_mturk(page, live_server.url + frame_link(study))
    frame = page.frame_locator("#task")
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="Open the task").click()
    take_part(opened.value)
    expect(opened.value.get_by_role("heading", name="Finished. Thank you!")).to_be_visible()
    look(opened.value)
    frame.get_by_role("button", name="Submit to Mechanical Turk").click()
    expect(frame.get_by_role("heading", name="Submitted")).to_be_visible()
    [form] = received
    assert form == {
        "path": [f"{SANDBOX}/mturk/externalSubmit"],
        "assignmentId": ["3ASSIGN"],
        "outcome": ["completed"],
        "code": ["MT77"],
    }
