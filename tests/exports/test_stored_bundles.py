"""A bundle too large to wait for: ordered on a page, made by the default worker, downloaded, and gone in time."""

import hashlib
import io
import zipfile
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import BundlePiece, StoredBundle
from annotation.services.erasing import erase_person
from annotation.services.exports import stored_bundles
from annotation.services.exports.bundle import bundles_of
from annotation.views.snapshots import snapshots
from tests import build
from tests.console.judging import make_judged_study
from tests.generation.factory import wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(settings):
    settings.REPORT_COMPUTED_AT_ONCE = 3
    return make_judged_study(dialogues=2, k=1)


def page_of(study):
    return reverse("bundle", args=[study.code])


def file_of(study):
    return reverse("export", args=[study.code, "bundle.zip"])


def made(study, *, actor=None, now=None, **options):
    """A bundle as the worker makes it."""
    now = now or timezone.now()
    stored = StoredBundle.objects.create(study=study, ordered_at=now, ordered_by=actor)
    stored_bundles.make(stored.pk, pages=snapshots, now=now, **options)
    return StoredBundle.objects.get(pk=stored.pk)


@pytest.mark.stack
@pytest.mark.django_db(transaction=True)
def test_the_default_worker_makes_what_a_researcher_orders(client, study, factory):
    researcher = build.make_researcher()
    client.force_login(researcher)
    assert client.get(file_of(study)).url == page_of(study)
    assert "None is ready." in client.get(page_of(study)).content.decode()
    for _ in range(2):
        assert client.post(page_of(study)).url == page_of(study)
    assert "the worker takes it when it is free" in client.get(page_of(study)).content.decode()

    factory.start_default_worker()
    wait_for(lambda: StoredBundle.objects.filter(made_at__isnull=False).exists(), seconds=120, say=factory.words)
    page = client.get(page_of(study)).content.decode()
    assert file_of(study) in page
    (event,) = bundles_of(study)
    assert event.actor == researcher
    assert event.detail["sha256"] in page
    response = client.get(file_of(study))
    content = b"".join(response.streaming_content)
    assert hashlib.sha256(content).hexdigest() == event.detail["sha256"] == response["X-Checksum-SHA256"]
    assert int(response["Content-Length"]) == len(content)
    assert "judgements.csv" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert study.events.get(verb="export").detail == {"files": ["bundle.zip"]}


def test_a_bundle_is_kept_in_pieces_and_comes_out_whole(study):
    stored = made(study, piece_bytes=1000)
    assert stored.pieces.count() == -(-stored.size // 1000) > 2
    assert hashlib.sha256(b"".join(stored_bundles.pieces(stored))).hexdigest() == stored.sha256


def test_a_message_that_comes_twice_makes_one_bundle(study):
    stored = made(study)
    stored_bundles.make(stored.pk, pages=snapshots, now=timezone.now())
    assert len(bundles_of(study)) == 1


def test_without_a_broker_the_page_says_so_and_a_later_order_counts(client, study):
    """Nothing has started a broker over the tests' data directory."""
    client.force_login(build.make_researcher())
    page = client.post(page_of(study), follow=True).content.decode()
    assert "The queue does not answer" in page
    assert "Make the bundle" in page
    assert StoredBundle.objects.get().ordered_at is None


def test_what_went_wrong_is_said_on_the_page_and_the_last_bundle_stays(client, study):
    made(study)

    def broken(_study):
        raise OSError("The disk is full.")
        yield

    now = timezone.now()
    StoredBundle.objects.update(ordered_at=now)
    with pytest.raises(OSError, match="disk is full"):
        stored_bundles.make(StoredBundle.objects.get().pk, pages=broken, now=now)
    client.force_login(build.make_researcher())
    page = client.get(page_of(study)).content.decode()
    assert "The last one failed. The worker could not write it" in page
    assert file_of(study) in page
    assert client.get(file_of(study)).status_code == 200


def test_a_bundle_expires(client, study):
    made(study, now=timezone.now() - stored_bundles.KEPT)
    client.force_login(build.make_researcher())
    assert client.get(file_of(study)).url == page_of(study)
    stored_bundles.expire(now=timezone.now())
    assert not BundlePiece.objects.exists()
    assert StoredBundle.objects.get().made_at is None


def test_an_order_that_was_lost_can_be_given_again(study):
    now = timezone.now()
    StoredBundle.objects.create(study=study, ordered_at=now - stored_bundles.ORDER_LASTS - timedelta(seconds=1))
    stored_bundles.order(study, actor=None, now=now)
    assert StoredBundle.objects.get().ordered_at in (now, None)


def test_erasing_somebody_takes_the_bundle_away_and_names_it(study):
    made(study)
    erasure = erase_person(study.annotators.first().pk, now=timezone.now())
    assert any("export bundle" in line for line in erasure.bundles)
    assert not StoredBundle.objects.exists()
    assert not BundlePiece.objects.exists()


def test_whoever_is_erased_while_a_bundle_is_made_is_in_none_that_is_kept(study):
    def erasing(study):
        erase_person(study.annotators.first().pk, now=timezone.now())
        yield from snapshots(study)

    stored = StoredBundle.objects.create(study=study, ordered_at=timezone.now())
    stored_bundles.make(stored.pk, pages=erasing, now=timezone.now())
    assert not BundlePiece.objects.exists()


def test_only_those_who_see_the_study_get_its_bundle_or_its_page(client, study):
    made(study)
    for address in (page_of(study), file_of(study)):
        assert client.get(address).url.startswith(reverse("admin:login"))
    client.force_login(build.make_stranger(is_staff=True))
    assert {client.get(page_of(study)).status_code, client.get(file_of(study)).status_code} == {403}
    assert client.post(page_of(study)).status_code == 403
    client.force_login(build.make_member(study, group="Viewers"))
    assert {client.get(page_of(study)).status_code, client.get(file_of(study)).status_code} == {200}


def test_a_small_study_needs_no_order(client):
    client.force_login(build.make_researcher())
    study = make_judged_study(dialogues=1, k=1)
    assert client.get(page_of(study)).url == file_of(study)
