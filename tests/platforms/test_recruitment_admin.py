"""The recruitment page of a study: what to paste, what is missing, and codes that nobody can guess."""

import pytest
from django.test import Client, override_settings

from annotation.models import ExitCode, Recruitment
from annotation.services.identities import sealer
from annotation.states import Exit
from tests.build import make_researcher, make_running_study
from tests.platforms.people import make_recruiting_study

pytestmark = pytest.mark.django_db

NO_BATCHES = {"batches-TOTAL_FORMS": "0", "batches-INITIAL_FORMS": "0"}
NO_CODES = {"exit_codes-TOTAL_FORMS": "0", "exit_codes-INITIAL_FORMS": "0"}


@pytest.fixture
def researcher():
    client = Client()
    client.force_login(make_researcher())
    return client


def page(recruitment: Recruitment, part: str = "change/") -> str:
    return f"/admin/annotation/recruitment/{recruitment.pk}/{part}"


def test_the_page_shows_the_address_to_paste_and_what_is_missing(researcher):
    study = make_recruiting_study("prolific")
    text = researcher.get(page(study.recruitment)).text
    query = "PROLIFIC_PID={{%PROLIFIC_PID%}}&amp;SESSION_ID={{%SESSION_ID%}}&amp;STUDY_ID={{%STUDY_ID%}}"
    assert f"http://testserver/s/{study.code}/enter/?{query}" in text
    assert "Prolific sends people over https alone" in text
    assert "Enter the completion code of Prolific" in text


@override_settings(HTTPS=True, SECURE_SSL_REDIRECT=False)
def test_nothing_is_missing_once_all_is_there(researcher):
    study = make_recruiting_study("prolific", codes={Exit.COMPLETED: "DONE"})
    assert "Nothing is missing" in researcher.get(page(study.recruitment)).text


@pytest.mark.parametrize(
    ("platform", "says"), [("sona", "credit token"), ("connect", "redirect address"), ("mturk", "over https alone")]
)
def test_each_platform_says_what_it_lacks(researcher, platform, says):
    assert says in researcher.get(page(make_recruiting_study(platform).recruitment)).text


def test_codes_are_random_per_study_and_exit():
    made = set()
    for _ in range(2):
        recruitment = make_recruiting_study("prolific", codes={Exit.COMPLETED: "MINE"}).recruitment
        client = Client()
        client.force_login(make_researcher())
        client.post(page(recruitment, "do/make-codes/"))
        codes = dict(recruitment.exit_codes.values_list("exit", "code"))
        assert codes.pop(Exit.COMPLETED) == "MINE"
        assert set(codes) == set(Exit) - {Exit.COMPLETED, Exit.RETURNED, Exit.TIMED_OUT}
        made |= set(codes.values())
    assert len(made) == 14


def test_a_study_gets_its_platform_with_two_clicks(researcher):
    study = make_running_study()
    assert "platform or by personal invitations" in researcher.get(f"/admin/annotation/study/{study.pk}/change/").text
    data = {"study": study.pk, "platform": "connect", **NO_CODES}
    answer = researcher.post("/admin/annotation/recruitment/add/", data | {"_continue": "1"})
    assert answer.status_code == 302, answer.context["errors"]
    assert study.recruitment.platform == "connect"
    assert study.events.filter(verb="recruitment").exists()


def test_a_credit_token_is_kept_sealed_and_never_shown(researcher):
    study = make_recruiting_study("sona", sona_host="school.sona-systems.com")
    kept = {"platform": "sona", "sona_host": "school.sona-systems.com", "sona_experiment": "7", "ids_kept_days": "60"}
    kept |= NO_BATCHES
    researcher.post(page(study.recruitment), kept | {"credit_token": "sesame"})
    study.recruitment.refresh_from_db()
    assert sealer().open(study.recruitment.sealed_credit_token) == "sesame"
    assert "sesame" not in study.recruitment.sealed_credit_token
    researcher.post(page(study.recruitment), kept | {"credit_token": "", "sona_experiment": "8"})
    study.recruitment.refresh_from_db()
    assert (sealer().open(study.recruitment.sealed_credit_token), study.recruitment.sona_experiment) == ("sesame", "8")
    assert "sesame" not in researcher.get(page(study.recruitment)).text
    assert "sesame" not in str(list(study.events.values()))


def test_two_exits_cannot_share_a_code(researcher):
    study = make_recruiting_study("prolific", codes={Exit.COMPLETED: "SAME"})
    code = ExitCode.objects.get()
    forms = {"exit_codes-TOTAL_FORMS": "2", "exit_codes-INITIAL_FORMS": "1"}
    forms |= {"exit_codes-0-id": code.pk, "exit_codes-0-recruitment": study.recruitment.pk}
    forms |= {"exit_codes-0-exit": "completed", "exit_codes-0-code": "SAME"}
    forms |= {"exit_codes-1-exit": "no_consent", "exit_codes-1-code": "SAME"}
    answer = researcher.post(
        page(study.recruitment), {"platform": "prolific", "ids_kept_days": "60"} | NO_BATCHES | forms
    )
    assert answer.status_code == 200
    assert ExitCode.objects.count() == 1
