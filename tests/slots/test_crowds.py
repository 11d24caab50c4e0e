"""Many annotators at once, each on a connection of their own, against real PostgreSQL."""

from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone

from annotation.answers import Answer
from annotation.models import Assignment, Judgement
from annotation.services.annotators import Held, enrol, find_standing
from annotation.services.places import NoPlaceLeft
from annotation.services.sheets import read_sheet
from annotation.services.slots import Receipt, claim_next, submit_and_claim
from tests.build import make_running_study
from tests.slots.crowd import Crowd, assert_complete, at_once, work_in_processes

pytestmark = pytest.mark.django_db(transaction=True)


def test_32_annotators_at_once_leave_none_over_none_under_and_nobody_twice():
    study = make_running_study(dialogues=24, k=3)

    def annotate(number):
        Crowd(study, 1, aborts=False, seed=number).run(until=float("inf"))

    at_once(32, annotate)
    assert_complete(study)


def test_one_slot_goes_to_one_of_many():
    study = make_running_study(dialogues=1, k=1)
    people = [enrol(study, consent_version="1", now=timezone.now()) for _ in range(16)]

    def take(number):
        return claim_next(find_standing(study.code, people[number].code), now=timezone.now())

    assert Counter(isinstance(got, Held) for got in at_once(16, take)) == {True: 1, False: 15}


def test_tabs_of_one_person_that_ask_at_once_get_the_same_comparison():
    study = make_running_study(dialogues=8, k=3)
    annotator = enrol(study, consent_version="1", now=timezone.now())
    standing = find_standing(study.code, annotator.code)
    got = at_once(8, lambda _: claim_next(standing, now=timezone.now()))
    assert len({held.code for held in got}) == 1
    assert Assignment.objects.count() == 1


def test_a_form_sent_eight_times_at_once_is_saved_once():
    study = make_running_study(dialogues=8, k=3)
    annotator = enrol(study, consent_version="1", now=timezone.now())
    held = claim_next(find_standing(study.code, annotator.code), now=timezone.now())
    standing, sheet = find_standing(study.code, annotator.code), read_sheet(study.pk)
    answers = {criterion: Answer("0") for criterion in sheet.criterion_ids}
    done = at_once(8, lambda _: submit_and_claim(standing, held.code, answers, sheet, now=timezone.now()))
    assert Counter(one.receipt for one in done) == {Receipt.SAVED: 1, Receipt.REPEATED: 7}
    assert len({one.following.code for one in done}) == 1
    assert Judgement.objects.count() == 3


def test_the_last_place_goes_to_one_of_many():
    study = make_running_study(annotators_limit=1)

    def join(number):
        try:
            return enrol(study, consent_version="1", now=timezone.now())
        except NoPlaceLeft:
            return None

    assert sum(got is not None for got in at_once(16, join)) == 1


def test_200_annotators_in_processes_with_random_aborts_complete_200_comparisons_exactly():
    study = make_running_study(dialogues=200, k=3, quota_per_annotator=25)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotation_slot")
    work_in_processes(study, processes=8, each=25, aborts=True, seconds=120)
    assert_complete(study)
