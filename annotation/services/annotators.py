"""People in a study: enrolled after consent, looked up with all a page needs, finished, withdrawn, erased."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction

from annotation.errors import DuologueError, gettext_noop
from annotation.models import Annotator, Assignment, Judgement, PlatformBatch, ProblemReport, Slot, Study
from annotation.platforms import Visitor
from annotation.services.identities import is_excluded, keep_identity, study_hash
from annotation.services.places import batch_of, give_back_place, take_place
from annotation.services.platform_messages import order_deed
from annotation.services.recruiting import code_for, random_code
from annotation.services.statements import row_on_a_live_connection
from annotation.states import AssignmentState, ComparisonKind, Exit, Side, StudyState


class ConsentChanged(DuologueError):
    user_message = gettext_noop("The consent text has changed since you opened the page. Please read it again.")


class AlreadyEnrolled(DuologueError):
    user_message = gettext_noop("You already take part in this study. Go on in the browser in which you began.")


class NotEligible(DuologueError):
    user_message = gettext_noop("You cannot take part in this study: you took part in one that rules it out.")


class Held(NamedTuple):
    """The comparison in an annotator's hands: all that a page needs to find and draw it."""

    assignment_id: int
    code: UUID
    comparison_id: int
    dialogue_id: int
    treatment_side: Side
    number: int
    lease_until: datetime
    draft: dict[str, Any]

    @property
    def is_flipped(self) -> bool:
        """Whether the treatment stands left."""
        return self.treatment_side == Side.LEFT


class Message(NamedTuple):
    """What the researchers say to all, and when they said it: "today" is of that day."""

    text: str
    sent_at: datetime | None


class Standing(NamedTuple):
    """Where an annotator stands: read in one statement at the start of every request."""

    annotator_id: int
    code: UUID
    study_id: int
    study_code: UUID
    study_state: StudyState
    study_sha256: str
    seed: int
    quota: int
    lease_minutes: int
    submitted_count: int
    left_balance: int
    last_submitted_id: int | None
    last_dialogue_id: int | None
    is_instructed: bool
    exit: str
    message: Message | None
    held: Held | None


_STANDING = """
SELECT a.id, a.code, s.id, s.code, s.state, s.frozen_sha256, a.seed, s.quota_per_annotator, s.lease_minutes,
       a.submitted_count, a.left_balance, a.last_submitted_id, a.last_dialogue_id, a.instructed_at IS NOT NULL, a.exit,
       CASE WHEN s.message_number > a.message_seen THEN s.message ELSE '' END, s.message_at,
       g.id, g.code, g.comparison_id, l.dialogue_id, l.treatment_side, g.number, g.lease_until, g.draft
FROM annotation_annotator a
JOIN annotation_study s ON s.id = a.study_id
LEFT JOIN annotation_assignment g ON g.annotator_id = a.id AND g.state = 'claimed'
LEFT JOIN annotation_slot l ON l.id = g.slot_id
WHERE a.code = %(annotator)s AND s.code = %(study)s
"""


def find_standing(study_code: UUID, annotator_code: UUID) -> Standing | None:
    """Return where this annotator of this study stands, in one statement; None for a stranger."""
    found = row_on_a_live_connection(_STANDING, {"annotator": annotator_code, "study": study_code})
    if found is None:
        return None
    pk, code, study, study_code, state, sha256, seed, *rest = found
    quota, lease_minutes, submitted, balance, last_submitted, last_dialogue, is_instructed, *rest = rest
    exit_, message, sent_at, *held = rest
    return Standing(
        annotator_id=pk,
        code=code,
        study_id=study,
        study_code=study_code,
        study_state=StudyState(state),
        study_sha256=sha256,
        seed=seed,
        quota=quota,
        lease_minutes=lease_minutes,
        submitted_count=submitted,
        left_balance=balance,
        last_submitted_id=last_submitted,
        last_dialogue_id=last_dialogue,
        is_instructed=is_instructed,
        exit=exit_,
        message=Message(message, sent_at) if message else None,
        held=as_held(held) if held[0] is not None else None,
    )


def as_held(columns: Sequence[Any]) -> Held:
    """Build what an annotator holds from the columns that every statement here returns in this order."""
    pk, code, comparison, dialogue, side, number, lease_until, draft = columns
    return Held(pk, code, comparison, dialogue, Side(side), number, lease_until, json.loads(draft))


def enrol(
    study: Study,
    *,
    consent_version: str,
    now: datetime,
    visitor: Visitor | None = None,
    is_simulated: bool = False,
) -> Annotator:
    """Take a person into a running study, after they agreed to the consent text of this version.

    `visitor` is who they are at their platform; None on an open link.
    Raises: StudyNotOpen, NoPlaceLeft, NoSuchBatch, ConsentChanged, NotEligible, AlreadyEnrolled.
    """
    study = Study.objects.get(pk=study.pk)
    if consent_version != study.consent_version:
        raise ConsentChanged()
    if visitor and is_excluded(study, visitor):
        raise NotEligible()
    batch = batch_of(study, visitor)
    try:
        with transaction.atomic():
            take_place(study, batch)
            annotator = _create(study, visitor, batch, now=now, is_simulated=is_simulated)
            if visitor and visitor.person:
                keep_identity(annotator, visitor, now=now)
    except IntegrityError as error:
        if visitor and "one_person_once_per_study" in str(error):
            raise AlreadyEnrolled() from error
        raise
    return annotator


def _create(
    study: Study, visitor: Visitor | None, batch: PlatformBatch | None, *, now: datetime, is_simulated: bool
) -> Annotator:
    return Annotator.objects.create(
        study=study,
        pseudonym=f"P-{random_code(8)}",
        platform=visitor.platform if visitor else "open",
        platform_hash=study_hash(study, visitor) if visitor else "",
        batch=batch,
        message_seen=study.message_number,
        is_simulated=is_simulated,
        consent_version=study.consent_version,
        consent_sha256=hashlib.sha256(study.consent_text.encode()).hexdigest(),
        consented_at=now,
        seed=secrets.randbelow(2**31),
    )


def mark_instructed(annotator_id: int, *, now: datetime) -> None:
    """Remember that the person has read the instructions; the first time counts."""
    Annotator.objects.filter(pk=annotator_id, instructed_at=None).update(instructed_at=now)


def finish(annotator_id: int, *, now: datetime, how: Exit = Exit.COMPLETED) -> Annotator:
    """End a person's part and give them the code of this exit. The first exit counts; a second call changes nothing.

    A comparison still in their hands goes back. Whether they may finish now is the caller's decision.
    """
    with transaction.atomic():
        free_held(annotator_id, to=AssignmentState.RELEASED)
        annotator, _ = _end(annotator_id, how, now=now)
    return annotator


def _end(annotator_id: int, how: Exit, *, now: datetime) -> tuple[Annotator, bool]:
    """Let a person go by this exit, unless they went by another; returns them and whether they went now."""
    annotator = Annotator.objects.select_related("study").get(pk=annotator_id)
    code = code_for(annotator.study, how)
    left = Annotator.objects.filter(pk=annotator_id, exit="").update(exit=how, exited_at=now, completion_code=code)
    annotator.refresh_from_db(fields=["exit", "exited_at", "completion_code"])
    if left:
        order_deed(annotator, how, now=now)
    return annotator, bool(left)


def keep_feedback(annotator_id: int, text: str) -> None:
    """Keep what a person says at the end; what they send later replaces it."""
    Annotator.objects.filter(pk=annotator_id).update(feedback=text)


def report_problem(standing: Standing, held: Held, text: str) -> ProblemReport:
    """Tell the researchers what is wrong with the comparison in this person's hands. Said twice, it counts once."""
    report, _ = ProblemReport.objects.get_or_create(
        study_id=standing.study_id, assignment_id=held.assignment_id, text=text
    )
    return report


def withdraw(annotator_id: int, *, now: datetime, how: Exit = Exit.WITHDREW, erase: bool = False) -> Annotator:
    """Let a person leave: what they hold and their place are free at once; `erase` takes their judgements back, too.

    Also for what a platform reports (returned, timed out). The first exit counts.
    """
    with transaction.atomic():
        free_held(annotator_id, to=AssignmentState.EXPIRED if how == Exit.TIMED_OUT else AssignmentState.WITHDRAWN)
        annotator, left = _end(annotator_id, how, now=now)
        if left:
            give_back_place(annotator)
        if erase:
            erase_judgements(annotator_id)
    return annotator


def erase_judgements(annotator_id: int) -> int:
    """Delete all a person's judgements; slots of a study that is not closed open again. Returns how many went."""
    with transaction.atomic():
        answered = [AssignmentState.SUBMITTED, AssignmentState.SURPLUS]
        theirs = Assignment.objects.filter(annotator_id=annotator_id, state__in=answered)
        locked = list(theirs.select_for_update().values_list("pk", "slot_id", "state"))
        erased, _ = Judgement.objects.filter(assignment__in=[pk for pk, _, _ in locked]).delete()
        Assignment.objects.filter(pk__in=[pk for pk, _, _ in locked]).update(state=AssignmentState.WITHDRAWN, draft={})
        Annotator.objects.filter(pk=annotator_id).update(last_submitted_id=None)
        reopen([slot for _, slot, state in locked if state == AssignmentState.SUBMITTED])
    return erased


def free_held(annotator_id: int, *, to: AssignmentState) -> bool:
    """Take the comparison out of a person's hands and open its slot. Returns whether they held one."""
    with transaction.atomic():
        held = Assignment.objects.filter(annotator_id=annotator_id, state=AssignmentState.CLAIMED)
        slots = list(held.select_for_update().values_list("slot_id", flat=True))
        held.update(state=to)
        reopen(slots)
    return bool(slots)


def reopen(slots: list[int]) -> None:
    """Open slots again, unless their comparison is excluded or no main one, or their study closed."""
    main = Slot.objects.filter(pk__in=slots, comparison__kind=ComparisonKind.MAIN)
    free = main.filter(comparison__excluded_at=None).exclude(study__state=StudyState.CLOSED)
    Slot.objects.filter(pk__in=free.values("pk")).update(is_open=True)
