"""Platform batches: people count where their link says, never one too many, and a place that is given back is free."""

import threading

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import PlatformBatch
from annotation.platforms import Visitor
from annotation.platforms.webhooks import SUBMISSION_CHANGED, PlatformNews
from annotation.services import monitoring, recruiting
from annotation.services.annotators import enrol, withdraw
from annotation.services.places import NoPlaceLeft
from annotation.services.platform_events import take_event
from annotation.states import Exit
from tests.build import make_member, make_researcher
from tests.pages.people import agree
from tests.platforms.people import ANA, BEN, come_in, home_of, judge_all, make_recruiting_study, prolific_link
from tests.slots.crowd import at_once

CODES = {Exit.COMPLETED: "DONE77", Exit.QUOTA_FULL: "FULL99"}
CARLA = "70c3d4e5f60718293a4b5c6d"


def make_batch(study, key="", places: int | None = 1, **over) -> PlatformBatch:
    name = over.pop("name", f"Batch {key or 'of all others'}")
    return PlatformBatch.objects.create(recruitment=study.recruitment, name=name, key=key, places=places, **over)


@pytest.fixture
def study():
    return make_recruiting_study("prolific", codes=CODES)


def link(study, person, study_id, submission="sub"):
    return prolific_link(study, person, study_id=study_id, submission=f"{submission}-{person}")


@pytest.mark.django_db
def test_people_count_in_the_batch_of_the_study_that_sent_them(study):
    germany, france = make_batch(study, "de"), make_batch(study, "fr", places=2)
    ana = come_in(Client(), study, link(study, ANA, "de"))
    ben = come_in(Client(), study, link(study, BEN, "fr"))
    assert (ana.batch, ben.batch) == (germany, france)
    assert list(study.recruitment.batches.values_list("places_taken", flat=True)) == [1, 1]


@pytest.mark.django_db
def test_a_full_batch_says_so_before_consent_with_a_way_back_while_others_are_open(client, study):
    make_batch(study, "de")
    make_batch(study, "fr")
    come_in(Client(), study, link(study, ANA, "de"))
    page = client.get(link(study, BEN, "de"), follow=True)
    assert "All places are taken" in page.text
    assert 'href="https://app.prolific.com/submissions/complete?cc=FULL99"' in page.text
    assert "Agree and start" in Client().get(link(study, CARLA, "fr"), follow=True).text


@pytest.mark.django_db
def test_whoever_read_the_consent_text_too_long_for_the_last_place_leaves_by_the_same_exit(study):
    make_batch(study, "de")
    slow = Client()
    slow.get(link(study, BEN, "de"))
    come_in(Client(), study, link(study, ANA, "de"))
    page = agree(slow, study)
    assert "All places are taken" in page.text
    assert "cc=FULL99" in page.text
    study.refresh_from_db()
    assert (study.annotators.count(), study.places_taken) == (1, 1)


@pytest.mark.django_db
def test_the_places_of_the_study_are_the_limit_of_all_batches(study):
    type(study).objects.filter(pk=study.pk).update(annotators_limit=1)
    make_batch(study, "de", places=5)
    make_batch(study, "fr", places=5)
    come_in(Client(), study, link(study, ANA, "de"))
    assert "All places are taken" in Client().get(link(study, BEN, "fr"), follow=True).text


@pytest.mark.django_db
def test_a_link_of_no_batch_is_refused_unless_a_batch_is_for_everybody_else(client, study):
    make_batch(study, "de")
    page = client.get(link(study, ANA, "it"), follow=True)
    assert page.status_code == 400
    assert "no part of this study that is open" in page.text
    agree(client, study)
    assert not study.annotators.exists()
    others = make_batch(study)
    assert come_in(client, study, link(study, ANA, "it")).batch == others


@pytest.mark.django_db
def test_a_word_in_the_link_names_the_batch_before_the_platforms_id(study):
    tuesday = make_batch(study, "tuesday")
    make_batch(study, "st-1")
    assert come_in(Client(), study, prolific_link(study) + "&batch=tuesday").batch == tuesday


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("platform", "query"),
    [
        ("sona", "survey_code={person}&batch={batch}"),
        ("connect", "participantId={person}&assignmentId=A&projectId={batch}"),
        ("open", "batch={batch}"),
    ],
)
def test_each_platform_leads_into_batches(client, platform, query):
    study = make_recruiting_study(platform)
    tuesday = make_batch(study, "tuesday")
    address = f"{home_of(study)}enter/?{query}"
    assert come_in(client, study, address.format(person="1", batch="tuesday")).batch == tuesday
    refused = Client().get(address.format(person="2", batch="friday"), follow=True)
    assert "no part of this study that is open" in refused.text


@pytest.mark.django_db
def test_a_frame_of_mechanical_turk_keeps_the_batch_of_its_task(client):
    study = make_recruiting_study("mturk")
    batch = make_batch(study, "3HIT")
    said = "assignmentId=3A&hitId=3HIT&workerId=A1&turkSubmitTo=https://workersandbox.mturk.com"
    frame = client.get(f"{home_of(study)}hit/?{said}", follow=True)
    assert come_in(Client(), study, frame.context["work"]).batch == batch


@pytest.mark.django_db
def test_the_same_browser_goes_on_in_an_open_study_with_batches(client):
    study = make_recruiting_study("open")
    make_batch(study, "a", places=2)
    come_in(client, study, f"{home_of(study)}?batch=a")
    assert client.get(f"{home_of(study)}?batch=a", follow=True).redirect_chain[-1][0].endswith("/instructions/")
    assert PlatformBatch.objects.get().places_taken == 1


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["RETURNED", "TIMED-OUT"])
def test_a_place_comes_back_when_the_platform_says_so_and_once(study, status):
    batch = make_batch(study, "de")
    come_in(Client(), study, link(study, ANA, "de"))
    for event in ("e1", "e2"):
        news = PlatformNews(
            event=event,
            signature=f"signature of {event}",
            kind=SUBMISSION_CHANGED,
            at=timezone.now(),
            submission=f"sub-{ANA}",
            status=status,
        )
        take_event("prolific", news, now=timezone.now())
    batch.refresh_from_db()
    assert batch.places_taken == 0
    come_in(Client(), study, link(study, BEN, "de"))
    assert "All places are taken" in Client().get(link(study, CARLA, "de"), follow=True).text


@pytest.mark.django_db
def test_whoever_withdraws_frees_the_place_and_whoever_finishes_does_not(study):
    batch = make_batch(study, "de", places=2)
    gone, done = Client(), Client()
    come_in(gone, study, link(study, ANA, "de"))
    judge_all(done, study, come_in(done, study, link(study, BEN, "de")))
    gone.post(f"{home_of(study)}leave/", {"answers": "keep"})
    batch.refresh_from_db()
    assert batch.places_taken == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_as_many_places_as_each_batch_has(study):
    places = {"de": 3, "fr": 5}
    for key, limit in places.items():
        make_batch(study, key, places=limit)

    def join(number):
        key = ("de", "fr")[number % 2]
        try:
            person = Visitor("prolific", f"p{number}", f"s{number}", batch=key)
            return enrol(study, consent_version="1", visitor=person, now=timezone.now()).batch.key
        except NoPlaceLeft:
            return None

    got = at_once(24, join)
    assert {key: got.count(key) for key in places} == places
    assert dict(PlatformBatch.objects.values_list("key", "places_taken")) == places
    study.refresh_from_db()
    assert (study.places_taken, study.annotators.count()) == (8, 8)


@pytest.mark.django_db(transaction=True)
def test_people_who_come_and_go_at_once_are_never_more_than_there_are_places(study):
    make_batch(study, "de", places=2)
    present, most, lock = set(), [], threading.Lock()

    def come_and_go(number):
        for turn in range(6):
            try:
                person = Visitor("prolific", f"p{number}.{turn}", f"s{number}.{turn}", batch="de")
                annotator = enrol(study, consent_version="1", visitor=person, now=timezone.now())
            except NoPlaceLeft:
                continue
            with lock:
                present.add(annotator.pk)
                most.append(len(present))
            with lock:
                present.discard(annotator.pk)
            withdraw(annotator.pk, now=timezone.now(), how=Exit.RETURNED)

    at_once(8, come_and_go)
    assert 1 <= max(most) <= 2
    study.refresh_from_db()
    assert (study.places_taken, PlatformBatch.objects.get().places_taken) == (0, 0)


@pytest.mark.django_db
def test_the_database_refuses_more_people_than_places(study):
    batch = make_batch(study, "de", places=1)
    with pytest.raises(IntegrityError, match="people_within_batch"):
        PlatformBatch.objects.filter(pk=batch.pk).update(places_taken=2)


def sign_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def save_page(client, study, *rows: dict):
    """Send the recruitment page with these batches."""
    old = sum("id" in row for row in rows)
    forms = {"batches-TOTAL_FORMS": len(rows), "batches-INITIAL_FORMS": old}
    for number, row in enumerate(rows):
        forms |= {f"batches-{number}-{name}": value for name, value in row.items()}
        forms |= {f"batches-{number}-recruitment": study.recruitment.pk}
    codes = {"exit_codes-TOTAL_FORMS": "0", "exit_codes-INITIAL_FORMS": "0"}
    page = f"/admin/annotation/recruitment/{study.recruitment.pk}/change/"
    return client.post(page, {"platform": "prolific", "ids_kept_days": "60"} | codes | forms, follow=True)


@pytest.mark.django_db
def test_a_researcher_makes_batches_on_the_recruitment_page(study):
    researcher = sign_in(make_researcher())
    rows = [{"name": "Germany", "key": "de", "places": "3"}, {"name": "Everybody else", "key": "", "places": ""}]
    page = save_page(researcher, study, *rows)
    assert list(study.recruitment.batches.values_list("name", "key", "places")) == [
        ("Germany", "de", 3),
        ("Everybody else", "", None),
    ]
    assert study.events.filter(verb="platform batch").count() == 2
    page = researcher.get(f"/admin/annotation/recruitment/{study.recruitment.pk}/change/").text
    assert "batch=de" in page
    assert "append to the link as batch=WORD" in page


@pytest.mark.django_db
def test_two_batches_of_one_id_are_refused(study):
    row = {"name": "Germany", "key": "de", "places": "3"}
    assert "Please correct the duplicate" in save_page(sign_in(make_researcher()), study, row, row).text
    assert not PlatformBatch.objects.exists()


@pytest.mark.django_db
def test_places_that_people_took_while_the_page_was_open_stay_taken(study):
    batch = make_batch(study, "de", places=3, places_taken=2)
    row = {"id": batch.pk, "name": "Berlin", "key": "de", "places": "2"}
    save_page(sign_in(make_researcher()), study, row)
    batch.refresh_from_db()
    assert (batch.name, batch.places, batch.places_taken) == ("Berlin", 2, 2)
    page = save_page(sign_in(make_researcher()), study, row | {"places": "1"})
    assert "2 places of “Berlin” are taken already" in page.text
    batch.refresh_from_db()
    assert (batch.places, batch.places_taken) == (2, 2)


@pytest.mark.django_db
def test_a_batch_that_has_people_is_not_deleted(study):
    batch = make_batch(study, "de")
    come_in(Client(), study, link(study, ANA, "de"))
    row = {"id": batch.pk, "name": batch.name, "key": "de", "places": "1", "DELETE": "on"}
    save_page(sign_in(make_researcher()), study, row)
    assert PlatformBatch.objects.filter(pk=batch.pk).exists()


@pytest.mark.django_db
def test_viewers_read_batches_and_change_none(study):
    batch = make_batch(study, "de", name="Germany", places=3)
    viewer = sign_in(make_member(study))
    assert "Germany" in viewer.get(f"/admin/annotation/recruitment/{study.recruitment.pk}/change/").text
    save_page(viewer, study, {"id": batch.pk, "name": "Mine", "key": "de", "places": "9"})
    assert viewer.post(reverse("steer", args=[study.code]), {"deed": "top-up"}).status_code == 403
    batch.refresh_from_db()
    assert (batch.name, batch.places) == ("Germany", 3)


@pytest.mark.django_db
def test_the_page_says_which_batches_nobody_can_come_to():
    study = make_recruiting_study("prolific", platform_study_id="de")
    make_batch(study, "de")
    make_batch(study, "fr", name="France")
    found = [sentence for sentence in recruiting.problems(study) if "Nobody can come" in sentence]
    assert len(found) == 1
    assert "France" in found[0]


@pytest.mark.django_db
def test_the_monitor_shows_the_places_of_each_batch_and_adds_some(study):
    batch = make_batch(study, "de", name="<b>Germany</b>")
    make_batch(study, places=None, name="Others")
    ana = Client()
    judge_all(ana, study, come_in(ana, study, link(study, ANA, "de")))
    look = monitoring.look(study, now=timezone.now())
    assert [(b.taken, b.places, b.finished, b.judged, b.is_full) for b in look.batches] == [
        (1, 1, 1, 1, True),
        (0, None, 0, 0, False),
    ]
    researcher = sign_in(make_researcher())
    page = researcher.get(reverse("monitor", args=[study.code])).text
    assert "&lt;b&gt;Germany&lt;/b&gt;" in page
    assert "1 of 1" in page
    assert "all others" in page
    form = {"deed": "top-up", "batch": batch.pk, "places": "2"}
    assert "3 places in" in researcher.post(reverse("steer", args=[study.code]), form, follow=True).text
    assert "Agree and start" in Client().get(link(study, BEN, "de"), follow=True).text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"places": "0"}, "number of places"),
        ({"places": "2", "batch": "0"}, "no such batch"),
        ({"places": "2", "batch": "x"}, "no such batch"),
    ],
)
def test_a_top_up_that_makes_no_sense_is_refused(study, form, says):
    batch = make_batch(study, "de")
    page = sign_in(make_researcher()).post(
        reverse("steer", args=[study.code]), {"deed": "top-up", "batch": batch.pk} | form, follow=True
    )
    assert says in page.text
    batch.refresh_from_db()
    assert batch.places == 1


@pytest.mark.django_db
def test_a_batch_of_another_study_or_without_a_limit_is_not_topped_up(study):
    other = make_batch(make_recruiting_study("prolific"), "de")
    unlimited = make_batch(study, "fr", places=None)
    researcher = sign_in(make_researcher())
    for batch, says in ((other, "no such batch"), (unlimited, "no limit of places")):
        form = {"deed": "top-up", "batch": batch.pk, "places": "5"}
        assert says in researcher.post(reverse("steer", args=[study.code]), form, follow=True).text
    other.refresh_from_db()
    assert other.places == 1
