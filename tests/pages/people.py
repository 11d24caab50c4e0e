"""The cast: annotators who take part through the pages, and what they send."""

from django.test import Client

from annotation.models import Annotator, Assignment, Study


def agree(client: Client, study: Study):
    """Consent as a person would."""
    return client.post(f"/s/{study.code}/", {"adult": "on", "agree": "on", "consent_version": study.consent_version})


def start(client: Client, study: Study) -> Annotator:
    """Consent and claim the first comparison."""
    agree(client, study)
    client.post(f"/s/{study.code}/next/")
    return study.annotators.latest("pk")


def held_by(annotator: Annotator) -> Assignment:
    return annotator.assignments.get(state="claimed")


def page_of(assignment: Assignment, part: str = "") -> str:
    return f"/s/{assignment.annotator.study.code}/{assignment.code}/{part}"


def answers(study: Study, value: str = "-1") -> dict[str, str]:
    return {criterion.key: value for criterion in study.criteria.all()}
