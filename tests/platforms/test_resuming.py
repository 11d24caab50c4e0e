"""On a second device, with a signed link, a person goes on where they stopped, at every step."""

import pytest
from django.test import Client

from annotation.models import ExitCode, Recruitment
from annotation.states import Exit
from tests.pages.people import agree, answers, held_by, page_of
from tests.pages.test_steps import make_full_study, pass_device, right, wrong
from tests.platforms.people import ANA, home_of
from tests.platforms.prolific import AUDIENCE, Prolific
from tests.platforms.test_invitations import invite, link_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(settings):
    with Prolific() as site:
        for name, value in site.settings.items():
            setattr(settings, name, value)
        yield site


def from_prolific(platform):
    study = make_full_study(device_check="any")
    recruitment = Recruitment.objects.create(study=study, platform="prolific", audience=AUDIENCE)
    ExitCode.objects.create(recruitment=recruitment, exit=Exit.COMPLETED, code="CC77")
    return study, platform.signed_link(study, person=ANA)


def by_invitation(_platform):
    study = make_full_study(device_check="any")
    Recruitment.objects.create(study=study, platform="invitation")
    return study, link_of(invite(study)[0])


def practise(client, study, number):
    client.post(f"{home_of(study)}practice/", {"number": number, "naturalness": "-1"})


def judge(client, study):
    client.post(page_of(held_by(study.annotators.get())), answers(study))


# What a person does from each step to the next one, where they then belong, and what they find there.
STEPS = [
    ("consent", agree, "device/", "A look at your screen"),
    ("device", lambda client, study: pass_device(client, home_of(study)), "instructions/", "How it works"),
    ("instructions", lambda client, study: client.post(f"{home_of(study)}next/"), "questions/", "You have 2 tries"),
    (
        "a wrong answer",
        lambda client, study: client.post(f"{home_of(study)}questions/", wrong(study)),
        "questions/",
        "You have 1 try",
    ),
    (
        "right answers",
        lambda client, study: client.post(f"{home_of(study)}questions/", right(study)),
        "practice/",
        "Practice 1 of 2",
    ),
    ("practice 1", lambda client, study: practise(client, study, 1), "practice/", "Practice 2 of 2"),
    ("practice 2", lambda client, study: practise(client, study, 2), "next/", "main form"),
    ("the first comparison", lambda client, study: client.post(f"{home_of(study)}next/"), "", "Comparison 1 of 1"),
    (
        "a draft",
        lambda client, study: client.post(page_of(held_by(study.annotators.get()), "draft/"), {"naturalness": "1"}),
        "",
        'value="1" required data-key="3" aria-keyshortcuts="3" checked',
    ),
    ("the last comparison", judge, "next/", "That was the last one"),
    ("the end", lambda client, study: client.post(f"{home_of(study)}finish/"), "next/", "That was the last one"),
    (
        "closing questions",
        lambda client, study: client.post(f"{home_of(study)}closing/", {f"q{study.closing_questions.get().pk}": "1"}),
        "finish/",
        "Finished. Thank you!",
    ),
]


@pytest.mark.parametrize("enter", [from_prolific, by_invitation])
def test_every_step_goes_on_on_another_device(platform, enter):
    study, link = enter(platform)
    first = Client()
    first.get(link)
    for name, act, part, words in STEPS:
        act(first, study)
        second = Client()
        page = second.get(link, follow=True)
        where = page.redirect_chain[-1][0]
        print(name, where)
        assert where.endswith(part) if part else where.endswith(page_of(held_by(study.annotators.get()))), name
        assert words == "main form" or words in page.text, name
        # The device that they take next is the one with which they go on.
        first = second
    assert study.annotators.get().exit == Exit.COMPLETED
