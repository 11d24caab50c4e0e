"""Passwords cannot be guessed by trying, and an account may ask for a second step."""

import time

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests import build
from webapp.signing_in import no_address

pytestmark = pytest.mark.django_db
PASSWORD = "a long and quiet password"


@pytest.fixture
def member():
    return build.make_researcher(username="ada", password=PASSWORD)


def sign_in(client, password=PASSWORD, code="", name="ada"):
    return client.post(reverse("admin:login"), {"username": name, "password": password, "otp_token": code})


def is_signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def code_of(device, steps=0) -> str:
    """What the app shows now, or some half minutes from now."""
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits)
    clock.time = time.time() + steps * device.step
    return f"{clock.token():06d}"


def test_a_password_is_enough_without_a_second_step(client, member):
    assert sign_in(client).status_code == 302
    assert is_signed_in(client)


def test_a_session_gets_a_new_key_when_somebody_signs_in(client, member):
    client.get(reverse("admin:login"))
    session = client.session
    session["before"] = True
    session.save()
    client.cookies["sessionid"] = session.session_key
    sign_in(client)
    assert client.session.session_key != session.session_key


def test_ten_wrong_passwords_make_a_name_rest_for_whoever_tries_it(client, member, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = sign_in(client, "wrong")
    assert answer.status_code == 429
    assert "Too many wrong passwords for this name" in answer.content.decode()
    assert sign_in(client).status_code == 429
    assert not is_signed_in(client)


def test_one_name_that_rests_keeps_nobody_else_out(client, member, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(client, "wrong", name="nobody-of-ours")
    assert sign_in(client).status_code == 302


def test_failed_tries_keep_neither_address_nor_browser(client, member):
    client.post(
        reverse("admin:login"),
        {"username": "ada", "password": "wrong", "otp_token": "123456"},
        headers={"user-agent": "Telltale/1.0", "accept": "text/Telltale"},
        REMOTE_ADDR="203.0.113.9",
    )
    kept = str(list(AccessAttempt.objects.values()))
    assert "ada" in kept
    assert "Telltale" not in kept
    assert "203.0.113.9" not in kept
    assert "wrong" not in kept
    assert "123456" not in kept


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_to_no_other_site(client, member, address):
    words = {"username": "ada", "password": PASSWORD, "next": address}
    assert client.post(reverse("admin:login"), words).url == "/admin/"


def test_a_name_that_no_account_can_have_is_refused_in_words(client, member):
    answer = sign_in(client, name="a" * 300)
    assert (answer.status_code, AccessAttempt.objects.exists()) == (200, False)
    assert "150 characters" in answer.text


def test_tries_at_the_same_moment_are_all_counted(client, member, settings):
    """Two rows for one name would make every later try an error that nobody counts."""
    kept = {"username": "ada", "ip_address": no_address(None), "user_agent": "", "failures_since_start": 1}
    AccessAttempt.objects.create(**kept)
    with pytest.raises(IntegrityError, match="unique"), transaction.atomic():
        AccessAttempt.objects.create(**kept)
    answers = [sign_in(client, "wrong").status_code for _ in range(settings.AXES_FAILURE_LIMIT - 1)]
    assert answers[-1] == 429
    assert AccessAttempt.objects.get().failures_since_start == settings.AXES_FAILURE_LIMIT


@pytest.mark.parametrize("spelling", [" ada ", "\uff41\uff44\uff41"])
def test_spellings_of_one_name_are_counted_together(client, member, settings, spelling):
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        sign_in(client, "wrong")
    assert sign_in(client, "wrong", name=spelling).status_code == 429


def test_a_stranger_cannot_keep_a_researcher_out(client, member, settings):
    own = Client()
    sign_in(own)
    own.post(reverse("admin:logout"))
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(client, "wrong")
    assert sign_in(client).status_code == 429
    assert sign_in(own).status_code == 302


def test_a_browser_that_knows_a_name_cannot_guess_its_password_either(client, member, settings):
    sign_in(client)
    client.post(reverse("admin:logout"))
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = sign_in(client, "wrong")
    assert answer.status_code == 429
    assert sign_in(client).status_code == 429


def test_a_browser_knows_its_own_name_alone(client, member, settings):
    build.make_researcher(username="eve", password=PASSWORD)
    sign_in(client, name="eve")
    client.post(reverse("admin:logout"))
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(Client(), "wrong")
    assert sign_in(client).status_code == 429


def switch(client, code, password=PASSWORD):
    return client.post(reverse("second_step"), {"code": code, "password": password})


def switch_on(client, member) -> TOTPDevice:
    client.force_login(member)
    shown = client.get(reverse("second_step"))
    device = TOTPDevice.objects.get(user=member)
    assert "<svg" in shown.content.decode()
    assert switch(client, code_of(device)).status_code == 302
    client.logout()
    device.refresh_from_db()
    assert device.confirmed
    return device


def test_a_second_step_is_asked_for_once_it_is_set_up(client, member):
    device = switch_on(client, member)
    assert "asks for a second step" in sign_in(client).content.decode()
    assert "wrong or too old" in sign_in(client, code="000000").content.decode()
    assert not is_signed_in(client)
    # A wrong code makes the next one wait, so that codes cannot be guessed either.
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    sign_in(client, code=code_of(device, steps=1))
    assert is_signed_in(client)


def test_a_code_opens_one_session_only(client, member):
    device = switch_on(client, member)
    code = code_of(device, steps=1)
    sign_in(client, code=code)
    client.logout()
    sign_in(client, code=code)
    assert not is_signed_in(client)


def test_the_key_is_not_shown_again_and_a_wrong_code_changes_nothing(client, member):
    device = switch_on(client, member)
    client.force_login(member)
    assert device.config_url.split("secret=")[1][:8] not in client.get(reverse("second_step")).content.decode()
    assert switch(client, "12").status_code == 422
    assert switch(client, "000000").status_code == 422
    assert TOTPDevice.objects.get(user=member).confirmed


def test_a_browser_left_open_cannot_take_the_account_over(client, member, settings):
    client.force_login(member)
    client.get(reverse("second_step"))
    device = TOTPDevice.objects.get(user=member)
    for password in ("", *["guess"] * (settings.AXES_FAILURE_LIMIT - 1)):
        assert switch(client, code_of(device), password).status_code == 422
    assert switch(client, code_of(device), "guess").status_code == 429
    assert switch(client, code_of(device)).status_code == 429
    device.refresh_from_db()
    assert not device.confirmed


@pytest.mark.parametrize("is_on", [False, True])
def test_changing_the_second_step_signs_out_everywhere_else(client, member, is_on):
    device = switch_on(client, member) if is_on else None
    here, there, stranger = Client(), Client(), Client()
    for each in (here, there):
        each.force_login(member)
    stranger.force_login(build.make_researcher())
    here.get(reverse("second_step"))
    device = device or TOTPDevice.objects.get(user=member)
    assert switch(here, code_of(device, steps=int(is_on))).status_code == 302
    pages = {name: each.get("/admin/").status_code for name, each in [("here", here), ("there", there)]}
    assert pages == {"here": 200, "there": 302}
    assert stranger.get("/admin/").status_code == 200


def test_whoever_lost_the_app_is_helped_from_the_command_line(client, member, capsys):
    switch_on(client, member)
    call_command("reset_second_step", "ada")
    assert sign_in(client).status_code == 302
    assert "signs in with the password alone" in capsys.readouterr().out


def test_strangers_have_no_second_step_page(client):
    assert client.get(reverse("second_step")).status_code == 302
    client.force_login(build.make_stranger())
    assert client.get(reverse("second_step")).status_code == 302
    assert User.objects.count() == 1
    assert not TOTPDevice.objects.exists()
