"""A study anew: the same questions of the same agents, as a draft that nobody has judged."""

from django.db import transaction

from annotation.models import ClosingQuestion, ComprehensionQuestion, Criterion, Practice, Study
from annotation.services import members
from annotation.services.actors import Actor
from annotation.services.trail import record

# What belongs to the life of one study, not to what it asks.
NOT_COPIED = frozenset(
    {"id", "code", "name", "state", "rehearsal_of", "places_taken", "frozen_sha256"}
    | {"created_at", "launched_at", "closed_at", "message", "message_number", "message_at"}
)


@transaction.atomic
def copy_study(study: Study, *, actor: Actor) -> Study:
    """Return a new draft with the settings, collections, criteria and matchups of a study."""
    columns = [column for column in Study._meta.concrete_fields if column.name not in NOT_COPIED]
    settings = {column.attname: getattr(study, column.attname) for column in columns}
    copy = Study.objects.create(**settings, name=_free_name(study.name))
    copy.collections.set(study.collections.all())
    for matchup in study.matchups.all():
        matchup.pk = None
        matchup.study = copy
        matchup.save(force_insert=True)
    copy_questions(study, to=copy)
    members.begin(copy, actor=actor)
    record(copy, "copy", actor=actor, of=str(study.code))
    return copy


def copy_questions(study: Study, *, to: Study) -> None:
    """Give a study the criteria of another, and what its steps around the main part ask."""
    related = (study.criteria, study.practice, study.comprehension_questions, study.closing_questions)
    parts: list[Criterion | Practice | ComprehensionQuestion | ClosingQuestion] = [
        part for rows in related for part in rows.all()
    ]
    for part in parts:
        part.pk = None
        part.study = to
        part.save(force_insert=True)


def _free_name(name: str) -> str:
    """Return a name that no study has: "Pilot", then "Pilot (2)", "Pilot (3)" and so on."""
    taken = set(Study.objects.filter(name__startswith=name[:190]).values_list("name", flat=True))
    number = 2
    while (candidate := f"{name[:190]} ({number})") in taken:
        number += 1
    return candidate
