"""With DEBUG on, too, a page about a fault holds nobody's id."""

import pytest
from django.db import connection
from django.test import Client

from tests.pages.people import agree
from tests.platforms.people import ANA, make_recruiting_study, prolific_link


@pytest.mark.django_db
def test_consent_that_fails_shows_no_id_with_debug(settings):
    settings.DEBUG = True
    study = make_recruiting_study("prolific")
    client = Client(raise_request_exception=False)
    client.get(prolific_link(study))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE annotation_annotator ADD CONSTRAINT nobody_comes_in CHECK (false)")
    page = agree(client, study)
    assert page.status_code == 500
    assert "nobody_comes_in" in page.text
    assert ANA not in page.text
