"""Somebody is erased while a report is being computed: what is kept afterwards holds nothing of them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from annotation.models import StoredReport
from annotation.services import reports
from annotation.services.erasing import erase_person
from tests.console.judging import make_judged_study

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST_WAIT = 30.0


def waits_for_a_row() -> bool:
    """Whether another connection of this database waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


def erase_slowly(person, is_erasing: threading.Event) -> None:
    """Erase a person, and let it become true only when the report that is being made waits to be kept."""
    try:
        with transaction.atomic():
            erase_person(person.pk, now=timezone.now())
            is_erasing.set()
            until = time.monotonic() + LONGEST_WAIT
            while not waits_for_a_row() and time.monotonic() < until:
                time.sleep(0.02)
    finally:
        connections.close_all()


def test_a_report_that_was_computed_meanwhile_is_made_again_without_the_person():
    study = make_judged_study(dialogues=4)
    person = study.annotators.first()
    is_erasing = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        erasing = pool.submit(erase_slowly, person, is_erasing)
        assert is_erasing.wait(LONGEST_WAIT)
        # The erasure is not true yet, so what is read now holds the person.
        reports.compute(study, now=timezone.now())
        erasing.result()
    kept = StoredReport.objects.get(study=study)
    assert person.pseudonym not in str([kept.content, kept.people])
    assert kept.fingerprint == reports.fingerprint(study)
    assert {row["annotator"] for row in kept.people["annotators"]} == {
        other.pseudonym for other in study.annotators.exclude(pk=person.pk)
    }


def test_a_report_that_is_kept_before_the_erasure_ends_is_emptied_by_it():
    study = make_judged_study(dialogues=4)
    reports.compute(study, now=timezone.now())
    erase_person(study.annotators.first().pk, now=timezone.now())
    kept = StoredReport.objects.get(study=study)
    assert (kept.content, kept.people, kept.fingerprint) == (None, {}, "")
