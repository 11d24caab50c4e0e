"""Another IDENTITY_KEY: whose ids are kept is found, read and kept from coming twice as before."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from annotation.models import Annotator, Recruitment
from annotation.platforms import Visitor
from annotation.services import identities, platform_events
from annotation.services.erasing import erase_person
from annotation.services.identities import sealer, unseal
from annotation.states import Exit
from tests.platforms.people import ANA, BEN, come_in, home_of, make_recruiting_study, prolific_link
from tests.platforms.prolific import SECRET, Prolific

pytestmark = pytest.mark.django_db

NEW = "another key " + "n" * 40


@pytest.fixture
def study():
    return make_recruiting_study("prolific", codes={Exit.COMPLETED: "CC1"})


@pytest.fixture
def old_key(settings, tmp_path):
    """The file with the old key; the site gets the new one with `settings.IDENTITY_KEY = NEW`."""
    path = tmp_path / "old"
    path.write_text(f"{settings.IDENTITY_KEY}\n")
    return path


def test_a_person_is_read_found_and_kept_from_coming_twice_with_the_new_key(study, settings, old_key, capsys):
    browser = Client()
    ana = come_in(browser, study, prolific_link(study))
    settings.IDENTITY_KEY = NEW
    with pytest.raises(identities.SealedWithAnotherKey):
        identities.open_person(ana.identity)
    call_command("rotate_identity_key", old_key)
    assert "ids of 1 people, 0 credit tokens. Ids of 0 people are erased" in capsys.readouterr().out
    ana = Annotator.objects.get(pk=ana.pk)
    assert (identities.open_person(ana.identity), identities.open_submission(ana.identity)) == (ANA, "sub-1")
    assert identities.find_enrolled(study, Visitor("prolific", ANA)) == ana
    other = Client()
    assert "Go on in the browser in which you began." in other.get(prolific_link(study), follow=True).text
    assert browser.get(home_of(study), follow=True).status_code == 200
    excluding = make_recruiting_study("prolific")
    excluding.recruitment.not_if_took_part_in.add(study)
    assert identities.is_excluded(excluding, Visitor("prolific", ANA))


def test_events_of_the_platform_find_their_people_afterwards(study, settings, old_key):
    settings.PROLIFIC_WEBHOOK_SECRETS = [SECRET]
    ana = come_in(Client(), study, prolific_link(study))
    settings.IDENTITY_KEY = NEW
    call_command("rotate_identity_key", old_key)
    assert Prolific().send("RETURNED").status_code == 200
    ana.refresh_from_db()
    assert ana.exit == Exit.RETURNED
    platform_events.catch_up(ana.identity, now=timezone.now())


def test_credit_tokens_move_too_and_a_second_time_changes_nothing(settings, old_key):
    sona = make_recruiting_study("sona", sealed_credit_token=sealer().seal("token", now=timezone.now()))
    come_in(Client(), sona, f"{home_of(sona)}enter/?survey_code=77")
    settings.IDENTITY_KEY = NEW
    call_command("rotate_identity_key", old_key)
    moved = Recruitment.objects.values_list("sealed_credit_token", flat=True).get()
    assert unseal(moved) == "token"
    call_command("rotate_identity_key", old_key)
    assert Recruitment.objects.values_list("sealed_credit_token", flat=True).get() == moved


def test_whose_ids_are_erased_keeps_the_old_hash_and_is_counted(study, settings, old_key, capsys):
    ana = come_in(Client(), study, prolific_link(study))
    come_in(Client(), study, prolific_link(study, BEN, submission="sub-2"))
    erase_person(ana.pk, now=timezone.now())
    before = Annotator.objects.get(pk=ana.pk).platform_hash
    settings.IDENTITY_KEY = NEW
    call_command("rotate_identity_key", old_key)
    assert "ids of 1 people, 0 credit tokens. Ids of 1 people are erased" in capsys.readouterr().out
    assert Annotator.objects.get(pk=ana.pk).platform_hash == before


def test_with_a_wrong_old_key_nothing_changes(study, settings, tmp_path):
    ana = come_in(Client(), study, prolific_link(study))
    usual, settings.IDENTITY_KEY = settings.IDENTITY_KEY, NEW
    wrong = tmp_path / "wrong"
    wrong.write_text("w" * 40)
    with pytest.raises(CommandError, match="neither with the old key nor with the one"):
        call_command("rotate_identity_key", wrong)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("rotate_identity_key", tmp_path / "nowhere")
    settings.IDENTITY_KEY = usual
    assert identities.open_person(Annotator.objects.get(pk=ana.pk).identity) == ANA
