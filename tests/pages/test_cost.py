"""What one save-and-next may ask of the database."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.views.screens import draw_pair
from tests.build import make_running_study
from tests.pages.people import answers, held_by, page_of, start

pytestmark = pytest.mark.django_db

CONTROL = ("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN", "COMMIT")


def statements_of(client, *, htmx: bool) -> list[str]:
    study = make_running_study(dialogues=6, k=3)
    annotator = start(client, study)
    headers = {"HX-Request": "true"} if htmx else {}
    # What every process reads once: the study's words and questions, and the texts of the comparisons.
    client.post(page_of(held_by(annotator)), answers(study), headers=headers)
    for comparison in study.comparisons.all():
        draw_pair(comparison.pk, "en")
    page, form = page_of(held_by(annotator)), answers(study)
    with CaptureQueriesContext(connection) as seen:
        answer = client.post(page, form, headers=headers)
    assert answer.status_code == (200 if htmx else 302)
    sql = [query["sql"].strip() for query in seen.captured_queries]
    return [statement for statement in sql if not statement.startswith(CONTROL)]


@pytest.mark.parametrize("htmx", [True, False])
def test_a_save_and_next_takes_at_most_five_statements_and_no_session(client, htmx):
    statements = statements_of(client, htmx=htmx)
    assert 3 <= len(statements) <= 5, statements
    assert not any("django_session" in statement for statement in statements)
