"""A report too large for the page: the default worker makes it, and the page shows the last one with its time."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Judgement, StoredReport
from annotation.services import exclusions
from tests import build
from tests.console.large import make_large_study
from tests.console.test_results_page import page_of, words
from tests.generation.factory import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.django_db(transaction=True)]


def test_above_50_000_judgements_the_default_worker_computes_and_the_page_shows_the_last_report(factory):
    client = Client()
    client.force_login(build.make_researcher())
    study = make_large_study(judgements=50_001)
    assert settings.REPORT_COMPUTED_AT_ONCE == 50_000 < Judgement.objects.count()
    page = page_of(client, study)
    assert "The report is being computed." in page
    assert 'hx-trigger="every 5s"' in page
    ordered = StoredReport.objects.get(study=study).ordered_at
    page_of(client, study)
    assert StoredReport.objects.get(study=study).ordered_at == ordered, "an order is not given twice"

    factory.start_default_worker()
    wait_for(
        lambda: StoredReport.objects.filter(study=study, computed_at__isnull=False).exists(),
        seconds=60,
        say=factory.words,
    )
    said = words(page_of(client, study))
    assert "On naturalness people prefer" in said
    assert "finished comparisons, 300 annotators" in said

    exclusions.exclude_annotator(study.annotators.first(), "Too fast.", actor=None, now=timezone.now())
    stored = StoredReport.objects.get(study=study)
    said = words(page_of(client, study))
    assert f"This one is the last that is ready, of {stored.computed_at:%-d %b %Y, %H:%M} UTC." in said
    assert "On naturalness people prefer" in said
    everyone = reverse("figure-csv", args=[study.code, "outcomes"])
    assert client.get(everyone).status_code == 200
