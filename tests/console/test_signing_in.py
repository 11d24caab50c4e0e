"""Passwords cannot be guessed by trying, and an account may ask for a second step."""

import time

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests import build

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
        {"username": "ada", "password": "wrong"},
        headers={"user-agent": "Telltale/1.0"},
        REMOTE_ADDR="203.0.113.9",
    )
    from axes.models import AccessAttempt

    kept = str(list(AccessAttempt.objects.values()))
    assert "ada" in kept
    assert "Telltale" not in kept
    assert "203.0.113.9" not in kept
    assert PASSWORD not in kept


def switch_on(client, member) -> TOTPDevice:
    client.force_login(member)
    shown = client.get(reverse("second_step"))
    device = TOTPDevice.objects.get(user=member)
    assert "<svg" in shown.content.decode()
    assert client.post(reverse("second_step"), {"code": code_of(device)}).status_code == 302
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
    assert client.post(reverse("second_step"), {"code": "12"}).status_code == 422
    assert client.post(reverse("second_step"), {"code": "000000"}).status_code == 422
    assert TOTPDevice.objects.get(user=member).confirmed


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
