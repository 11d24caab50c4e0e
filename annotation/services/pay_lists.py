"""Decisions about pay with the platform's own ids, for whoever may open them; every list leaves an event."""

from collections.abc import Iterator
from itertools import islice

from django.db import transaction

from annotation.decisions import Decision
from annotation.errors import DuologueError
from annotation.models import PayDecision, PlatformBatch, PlatformIdentity, Study
from annotation.platforms.pay_layouts import PayList, Told, lay_out
from annotation.services.actors import Actor
from annotation.services.deciding import Case, category_of, keeping_the_rule
from annotation.services.exports.csv_files import csv_lines
from annotation.services.identities import open_person, open_submission
from annotation.services.recruiting import recruitment_of
from annotation.services.trail import EXPORT_IDS, record

_PASTED = {
    PayList.APPROVE: "Ids to approve",
    PayList.BONUS: "Bonuses (id, amount)",
    PayList.ALL: "All decisions with ids (CSV)",
}
_OFFERED = {"prolific": tuple(PayList), "connect": tuple(PayList), "mturk": (PayList.ALL,), "sona": (PayList.ALL,)}


class NobodyToName(DuologueError):
    user_message = (
        "This list would be empty: nobody was decided about in this way, or their ids are erased. Decide first, or "
        "look at another list."
    )


def offered(study: Study) -> list[tuple[str, str]]:
    """Return the lists that the study's platform takes, with their names; none where people have no id there."""
    return [(kind, _PASTED[kind]) for kind in _OFFERED.get(recruitment_of(study).platform, ())]


@transaction.atomic
def export(study: Study, kind: PayList, *, actor: Actor) -> str:
    """Return a list as the platform takes it, and write down who took it.

    Raises: RuleNotMet where a decision breaks the platform's rule; NobodyToName where nothing would be in it;
    SealedWithAnotherKey where it would lack somebody whose id cannot be read.
    """
    platform = recruitment_of(study).platform
    header, rows = lay_out(kind, platform, list(_told(study, keeping_the_rule(study))))
    if kind not in _OFFERED.get(platform, ()) or not rows:
        raise NobodyToName()
    record(study, EXPORT_IDS, actor=actor, files=[f"platform-{kind}.csv"], people=len(rows))
    lines = csv_lines(header, rows)
    return "".join(lines if header else islice(lines, 1, None))


def _told(study: Study, decided: list[tuple[Case, PayDecision]]) -> Iterator[Told]:
    """Name everybody as the platform does; whose id is erased cannot be named."""
    people = [case.annotator.pk for case, _ in decided]
    identities = {each.annotator_id: each for each in PlatformIdentity.objects.filter(annotator__in=people)}
    batches = {batch.pk: batch.key or batch.name for batch in PlatformBatch.objects.filter(recruitment__study=study)}
    for case, made in decided:
        identity = identities.get(case.annotator.pk)
        if identity is None or not (person := open_person(identity)):
            continue
        submission, category = open_submission(identity), category_of(case, made)
        decision = Decision(made.decision)
        batch = batches.get(case.annotator.batch_id or 0, "")
        yield Told(person, submission, decision, category, made.message, made.bonus, study.payment_currency, batch)
