"""The cast: people whom platforms send, and studies that wait for them."""

from datetime import timedelta

from django.test import Client

from annotation.models import Annotator, ExitCode, Recruitment, Study
from annotation.states import Exit
from tests.build import make_running_study
from tests.pages.people import agree, answers, held_by, page_of

ANA = "5f0ca1a5b4c3d2e1f0a9b8c7"
BEN = "60b2c3d4e5f60718293a4b5c"


def make_recruiting_study(platform: str, *, codes: dict[Exit, str] | None = None, **over) -> Study:
    """A running study of one comparison a person, on a platform."""
    settings = {name: over.pop(name) for name in list(over) if hasattr(Recruitment, name)}
    study = make_running_study(**({"dialogues": 2, "k": 2, "quota_per_annotator": 1} | over))
    recruitment = Recruitment.objects.create(study=study, platform=platform, **settings)
    for how, code in (codes or {}).items():
        ExitCode.objects.create(recruitment=recruitment, exit=how, code=code)
    return study


def home_of(study: Study) -> str:
    return f"/s/{study.code}/"


def prolific_link(study: Study, person: str = ANA, *, submission: str = "sub-1", study_id: str = "st-1") -> str:
    return f"{home_of(study)}enter/?PROLIFIC_PID={person}&STUDY_ID={study_id}&SESSION_ID={submission}"


def judge_all(client: Client, study: Study, annotator: Annotator):
    """Judge what there is and finish; returns the last page."""
    client.post(f"{home_of(study)}next/")
    while annotator.assignments.filter(state="claimed").exists():
        client.post(page_of(held_by(annotator)), answers(study))
    return client.post(f"{home_of(study)}finish/", follow=True)


def come_in(client: Client, study: Study, link: str) -> Annotator:
    """Follow a link and consent."""
    client.get(link)
    agree(client, study)
    return study.annotators.latest("pk")


LATER = timedelta(hours=3)
