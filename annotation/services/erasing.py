"""Erase a person: what they judged and wrote, and who they are. A hash stays, so that nobody comes twice."""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from annotation.decisions import Decision
from annotation.models import (
    Annotator,
    Assignment,
    CheckResult,
    Event,
    PayDecision,
    PlatformIdentity,
    ProblemReport,
    StepAttempt,
    StoredReport,
    Study,
)
from annotation.services.actors import Actor
from annotation.services.annotators import erase_judgements, withdraw
from annotation.services.exports import stored_bundles
from annotation.services.identities import erase_ids
from annotation.services.trail import ERASE, EXPORT_OF_PEOPLE, record

REPORT_ERASED = "Somebody has had their answers erased, so the report is made again. This page shows it in a while."
_WORDS = frozenset({"reason", "grounds"})


class Erasure(NamedTuple):
    """What was erased, and the files made before, which still hold it: one line each."""

    judgements: int
    bundles: list[str]


@transaction.atomic
def erase_person(annotator_id: int, *, now: datetime, actor: Actor = None) -> Erasure:
    """Withdraw a person for good and erase all that is theirs; whoever finished keeps the code they were given."""
    annotator = withdraw(annotator_id, now=now)
    judgements = erase_judgements(annotator_id)
    StepAttempt.objects.filter(annotator_id=annotator_id).delete()
    CheckResult.objects.filter(annotator_id=annotator_id).delete()
    ProblemReport.objects.filter(assignment__annotator_id=annotator_id).delete()
    Assignment.objects.filter(annotator_id=annotator_id).update(active_ms=None, blurs=None, draft={})
    Annotator.objects.filter(pk=annotator_id).update(feedback="", excluded_reason="")
    _erase_decision(annotator_id)
    erase_ids(PlatformIdentity.objects.filter(annotator_id=annotator_id), now=now)
    _erase_words(annotator)
    _forget_reports(annotator)
    bundles = bundles_of(annotator)
    stored_bundles.forget(annotator.study)
    record(
        annotator.study,
        ERASE,
        actor=actor,
        annotator=annotator.pseudonym,
        judgements=judgements,
        bundles=bundles,
    )
    return Erasure(judgements, bundles)


def _erase_decision(annotator_id: int) -> None:
    """Keep what was paid, without the words. A rejection goes: the checks and times that it rests on are erased."""
    made = PayDecision.objects.filter(annotator_id=annotator_id)
    made.filter(decision=Decision.REJECT).delete()
    made.update(message="")


def _erase_words(annotator: Annotator) -> None:
    """Keep that the team did something about a person, and when; take away why, which says how they answered."""
    for event in Event.objects.filter(study_id=annotator.study_id, detail__annotator=annotator.pseudonym):
        event.detail = {name: said for name, said in event.detail.items() if name not in _WORDS}
        event.save(update_fields=["detail"])


def _forget_reports(annotator: Annotator) -> None:
    """Empty the reports that are kept, for their figures are of this person, too. Their times stay: they say how soon
    a large one may be made again. One that is being made waits for the study's row, and then sees the erasure."""
    Study.objects.select_for_update(no_key=True).get(pk=annotator.study_id)
    kept = StoredReport.objects.filter(study_id=annotator.study_id)
    kept.update(content=None, people={}, fingerprint="", reason=REPORT_ERASED)


def bundles_of(annotator: Annotator) -> list[str]:
    """Return the bundles and files of the study that were made since the person came, oldest first."""
    made = Event.objects.filter(study_id=annotator.study_id, verb__in=EXPORT_OF_PEOPLE, at__gte=annotator.consented_at)
    return [
        f"{event.verb} of {event.at:%Y-%m-%d %H:%M} UTC by {event.actor or 'a command'}"
        for event in made.select_related("actor").order_by("at", "pk")
    ]
