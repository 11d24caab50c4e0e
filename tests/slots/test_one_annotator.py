"""What one person meets: claim, answer, go on, correct, come back late, leave."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.answers import Answer
from annotation.models import Annotator, Assignment, Judgement, Slot, Study
from annotation.services.annotators import Held, Standing, enrol, erase_judgements, find_standing, withdraw
from annotation.services.sheets import Sheet, read_sheet
from annotation.services.slots import (
    InvalidAnswers,
    NoWork,
    Reason,
    Receipt,
    Submitted,
    TooLateToCorrect,
    claim_next,
    correct,
    expire_stale,
    find_last,
    heartbeat,
    release,
    save_draft,
    submit_and_claim,
)
from annotation.services.studies import close, pause
from annotation.states import AssignmentState, Outcome, Side
from tests.build import make_running_study

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def join(study: Study) -> Annotator:
    return enrol(study, consent_version=study.consent_version, now=NOW)


def standing_of(annotator: Annotator) -> Standing:
    standing = find_standing(annotator.study.code, annotator.code)
    assert standing
    return standing


def take(annotator: Annotator, now=NOW) -> Held:
    held = claim_next(standing_of(annotator), now=now)
    assert isinstance(held, Held), held
    return held


def answers(sheet: Sheet, value: str = "-1") -> dict[int, Answer]:
    return {criterion: Answer(value) for criterion in sheet.criterion_ids}


def answer(annotator: Annotator, held: Held, value: str = "-1", now=NOW) -> Submitted:
    sheet = read_sheet(annotator.study_id)
    return submit_and_claim(standing_of(annotator), held.code, answers(sheet, value), sheet, now=now)


def test_a_claim_takes_one_slot():
    study = make_running_study(dialogues=3, k=2)
    held = take(join(study))
    assert Slot.objects.filter(study=study, is_open=False).count() == 1
    assert held.number == 1


def test_a_second_claim_returns_the_same_comparison():
    annotator = join(make_running_study())
    assert take(annotator).code == take(annotator).code


def test_an_answer_is_stored_in_the_agents_frame_and_the_next_comparison_follows():
    annotator = join(make_running_study())
    held = take(annotator)
    submitted = answer(annotator, held, "-1")
    judgement = Judgement.objects.filter(assignment_id=held.assignment_id).first()
    assert submitted.receipt == Receipt.SAVED
    assert isinstance(submitted.following, Held)
    assert judgement
    assert judgement.treatment_side == held.treatment_side
    assert judgement.outcome == (Outcome.TREATMENT if held.treatment_side == Side.LEFT else Outcome.BASELINE)


def test_a_second_submit_of_the_same_form_changes_nothing():
    annotator = join(make_running_study())
    held = take(annotator)
    first = answer(annotator, held, "-1")
    second = answer(annotator, held, "1")
    assert second.receipt == Receipt.REPEATED
    assert second.following.code == first.following.code
    assert Judgement.objects.count() == 3


def test_somebody_elses_comparison_is_stale():
    study = make_running_study()
    held = take(join(study))
    submitted = answer(join(study), held)
    assert submitted.receipt == Receipt.STALE
    assert not Judgement.objects.exists()


def test_a_missing_answer_stores_nothing():
    annotator = join(make_running_study())
    held = take(annotator)
    sheet = read_sheet(annotator.study_id)
    with pytest.raises(InvalidAnswers):
        submit_and_claim(standing_of(annotator), held.code, {}, sheet, now=NOW)
    assert not Judgement.objects.exists()


def test_nobody_gets_a_comparison_twice_and_all_done_is_said():
    study = make_running_study(dialogues=3, k=4)
    annotator = join(study)
    held, seen = take(annotator), []
    while isinstance(held, Held):
        seen.append(held.comparison_id)
        held = answer(annotator, held).following
    assert len(seen) == len(set(seen)) == 3
    assert held == NoWork(Reason.ALL_DONE)


def test_sides_differ_by_at_most_one():
    annotator = join(make_running_study(dialogues=12, k=4))
    held, balance = take(annotator), 0
    while isinstance(held, Held):
        balance += 1 if held.is_flipped else -1
        assert abs(balance) <= 1
        held = answer(annotator, held).following


def test_the_quota_ends_the_work():
    annotator = join(make_running_study(dialogues=5, quota_per_annotator=2))
    following = answer(annotator, answer(annotator, take(annotator)).following).following
    assert following == NoWork(Reason.QUOTA_REACHED)


def test_others_hold_the_last_ones_for_so_many_minutes():
    study = make_running_study(dialogues=1, k=1, lease_minutes=7)
    take(join(study))
    assert claim_next(standing_of(join(study)), now=NOW) == NoWork(Reason.OTHERS_HOLD, 7)


def test_an_expired_lease_frees_the_slot_for_somebody_else_on_the_same_side():
    study = make_running_study(dialogues=1, k=1, lease_minutes=7)
    first = take(join(study))
    later = NOW + timedelta(minutes=8)
    second = take(join(study), now=later)
    assert (second.comparison_id, second.treatment_side) == (first.comparison_id, first.treatment_side)
    assert Assignment.objects.get(pk=first.assignment_id).state == AssignmentState.EXPIRED


def test_a_late_answer_counts_while_its_slot_is_free():
    annotator = join(make_running_study(dialogues=1, k=1))
    held = take(annotator)
    later = NOW + timedelta(hours=1)
    assert expire_stale(now=later) == 1
    assert answer(annotator, held, now=later).receipt == Receipt.SAVED
    assert not Slot.objects.filter(is_open=True).exists()


def test_a_late_answer_is_surplus_once_somebody_has_the_slot_and_counts_in_the_quota():
    study = make_running_study(dialogues=1, k=1)
    annotator = join(study)
    held = take(annotator)
    later = NOW + timedelta(hours=1)
    take(join(study), now=later)
    assert answer(annotator, held, now=later).receipt == Receipt.SURPLUS
    assert Assignment.objects.get(pk=held.assignment_id).state == AssignmentState.SURPLUS
    assert standing_of(annotator).submitted_count == 1


def test_a_late_answer_that_fills_the_quota_frees_what_is_held():
    study = make_running_study(dialogues=2, k=1, quota_per_annotator=1)
    annotator = join(study)
    first = take(annotator)
    later = NOW + timedelta(hours=1)
    expire_stale(now=later)
    Slot.objects.filter(comparison_id=first.comparison_id).update(is_open=False)
    take(annotator, now=later)
    submitted = answer(annotator, first, now=later)
    assert submitted == Submitted(Receipt.SURPLUS, NoWork(Reason.QUOTA_REACHED))
    assert Slot.objects.filter(is_open=True).count() == 1


def test_a_returning_annotator_takes_up_their_own_comparison_with_its_draft():
    annotator = join(make_running_study())
    held = take(annotator)
    save_draft(standing_of(annotator), held.code, {"naturalness": "1"}, now=NOW)
    later = NOW + timedelta(hours=1)
    expire_stale(now=later)
    back = take(annotator, now=later)
    assert (back.code, back.draft) == (held.code, {"naturalness": "1"})


def test_a_heartbeat_renews_the_lease_and_revives_an_expired_one_while_free():
    study = make_running_study(dialogues=1, k=1, lease_minutes=10)
    annotator = join(study)
    held = take(annotator)
    later = NOW + timedelta(hours=1)
    assert heartbeat(standing_of(annotator), held.code, now=NOW) == NOW + timedelta(minutes=10)
    expire_stale(now=later)
    assert heartbeat(standing_of(annotator), held.code, now=later) == later + timedelta(minutes=10)
    expire_stale(now=later + timedelta(hours=1))
    take(join(study), now=later + timedelta(hours=1))
    assert heartbeat(standing_of(annotator), held.code, now=later) is None


def test_a_comparison_handed_back_is_open_for_others_and_not_offered_again():
    study = make_running_study(dialogues=2, k=1)
    annotator = join(study)
    held = take(annotator)
    assert release(standing_of(annotator), held.code)
    assert Slot.objects.get(comparison_id=held.comparison_id).is_open
    assert take(annotator).comparison_id != held.comparison_id


def test_whoever_skips_everything_is_offered_nothing_again():
    annotator = join(make_running_study(dialogues=4, k=2))
    skipped = set()
    for _ in range(4):
        held = take(annotator)
        skipped.add(held.comparison_id)
        release(standing_of(annotator), held.code)
    assert len(skipped) == 4
    assert claim_next(standing_of(annotator), now=NOW) == NoWork(Reason.ALL_DONE)


def test_erasing_a_surplus_answer_opens_no_slot():
    study = make_running_study(dialogues=1, k=1)
    annotator = join(study)
    held = take(annotator)
    later = NOW + timedelta(hours=1)
    take(join(study), now=later)
    answer(annotator, held, now=later)
    assert erase_judgements(annotator.pk) == 3
    assert not Slot.objects.filter(is_open=True).exists()


def test_the_last_answer_can_be_corrected_until_the_next_is_saved():
    annotator = join(make_running_study())
    first = take(annotator)
    second = answer(annotator, first, "-1").following
    sheet = read_sheet(annotator.study_id)
    correct(standing_of(annotator), first.code, answers(sheet, "0"), sheet, now=NOW)
    last = find_last(standing_of(annotator))
    assert last
    assert set(last.answers.values()) == {Answer("0")}
    assert Judgement.objects.count() == 3
    answer(annotator, second)
    with pytest.raises(TooLateToCorrect):
        correct(standing_of(annotator), first.code, answers(sheet, "1"), sheet, now=NOW)


def test_withdrawing_frees_the_slot_at_once_and_erasing_opens_the_others():
    study = make_running_study(dialogues=3, k=1)
    annotator = join(study)
    answer(annotator, take(annotator))
    withdraw(annotator.pk, now=NOW)
    assert Slot.objects.filter(is_open=True).count() == 2
    assert erase_judgements(annotator.pk) == 3
    assert Slot.objects.filter(is_open=True).count() == 3
    assert claim_next(standing_of(annotator), now=NOW) == NoWork(Reason.LEFT)


def test_a_paused_study_takes_answers_and_hands_out_nothing():
    study = make_running_study()
    annotator = join(study)
    held = take(annotator)
    pause(study, actor=None)
    assert answer(annotator, held) == Submitted(Receipt.SAVED, NoWork(Reason.PAUSED))


def test_an_answer_after_the_study_closed_is_surplus():
    study = make_running_study()
    annotator = join(study)
    held = take(annotator)
    close(study, actor=None, now=NOW)
    assert answer(annotator, held) == Submitted(Receipt.SURPLUS, NoWork(Reason.CLOSED))
