"""Who gets the files of a study, over the web and on the command line."""

import csv
import io
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from django.utils import timezone

from annotation.services import reports
from annotation.services.exports.bundle import DOWNLOADS
from annotation.services.exports.files import FILES
from annotation.services.exports.judgements import HEADER
from annotation.states import Outcome
from tests import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    study = build.make_running_study(dialogues=1, k=1, name="=Guided or not?")
    build.judge(study.slots.get(), build.make_annotator(study), [Outcome.TREATMENT, Outcome.TIE, Outcome.BASELINE])
    return study


def address(study, name="judgements.csv"):
    return reverse("export", args=[study.code, name])


def test_a_researcher_downloads_the_judgements(client, study):
    client.force_login(build.make_researcher())
    response = client.get(address(study))
    rows = list(csv.reader(io.StringIO(response.getvalue().decode())))
    assert rows[0] == list(HEADER)
    assert len(rows) == 4
    assert response["Content-Disposition"] == 'attachment; filename="guided-or-not-judgements.csv"'


def test_every_file_is_on_the_results_page_and_in_the_admin(client, study):
    client.force_login(build.make_researcher())
    results = client.get(reverse("results", args=[study.code])).content.decode()
    admin = client.get(reverse("admin:annotation_study_change", args=[study.pk])).content.decode()
    for file in DOWNLOADS:
        assert address(study, file.name) in results
        assert address(study, file.name) in admin


@pytest.mark.parametrize("name", [file.name for file in DOWNLOADS])
def test_every_file_can_be_downloaded_and_is_noted_in_the_trail(client, study, name):
    researcher = build.make_researcher()
    client.force_login(researcher)
    response = client.get(address(study, name))
    assert response.status_code == 200
    assert response.getvalue()
    assert f"guided-or-not-{name}" in response["Content-Disposition"]
    assert "no-store" in response["Cache-Control"]
    event = study.events.get()
    assert (event.verb.split()[0], event.actor) == ("export", researcher)


def test_whoever_is_signed_out_is_sent_to_the_login_whatever_they_ask_for(client, study):
    for file in DOWNLOADS:
        assert client.get(address(study, file.name)).url.startswith(reverse("admin:login"))


@pytest.mark.parametrize("is_staff", [True, False])
def test_whoever_lacks_the_permission_is_refused_every_file(client, study, is_staff):
    client.force_login(build.make_stranger(is_staff=is_staff))
    assert {client.get(address(study, file.name)).status_code for file in DOWNLOADS} == {403}
    assert not study.events.exists()


def test_downloads_leave_the_report_current(client, study):
    client.force_login(build.make_researcher())
    before = reports.fingerprint(study)
    for name in ("bundle.zip", "judgements.csv"):
        client.get(address(study, name)).getvalue()
    assert reports.fingerprint(study) == before


def test_a_file_whose_report_the_worker_still_makes_says_so(client, study, settings):
    settings.REPORT_COMPUTED_AT_ONCE = 1
    client.force_login(build.make_researcher())
    response = client.get(address(study, "report.tex"))
    assert response.status_code == 409
    assert "Try again in a minute" in response.content.decode()
    reports.compute(study, now=timezone.now())
    assert client.get(address(study, "report.tex")).status_code == 200


def test_whoever_views_the_study_may_take_its_files(client, study):
    client.force_login(build.make_member(study, group="Viewers"))
    assert client.get(address(study)).status_code == 200


def test_unknown_studies_and_files_are_not_found(client, study):
    client.force_login(build.make_researcher())
    assert client.get(address(study, "passwords.csv")).status_code == 404
    assert client.get(reverse("export", args=[uuid4(), "judgements.csv"])).status_code == 404


def test_a_download_changes_nothing_and_takes_no_post(client, study):
    client.force_login(build.make_researcher())
    assert client.post(address(study)).status_code == 405


def test_the_command_writes_the_same_files(client, study, tmp_path):
    client.force_login(build.make_researcher())
    call_command("export_study", str(study.code), out=tmp_path / "new", verbosity=0)
    for name in FILES:
        written = (tmp_path / "new" / f"guided-or-not-{name}").read_bytes()
        assert written == client.get(address(study, name)).getvalue()


def test_the_command_replaces_nothing_unless_told(study, tmp_path):
    call_command("export_study", study.name, out=tmp_path)
    with pytest.raises(CommandError, match="would be replaced"):
        call_command("export_study", study.name, out=tmp_path)
    call_command("export_study", study.name, out=tmp_path, overwrite=True)


def test_the_command_names_the_studies_that_there_are(study, tmp_path):
    with pytest.raises(CommandError, match="There are “=Guided or not"):
        call_command("export_study", "Guided", out=tmp_path)


def test_the_command_asks_which_of_two_studies_of_one_name(study, tmp_path):
    other = build.make_study(name=study.name)
    with pytest.raises(CommandError, match=str(other.code)):
        call_command("export_study", study.name, out=tmp_path)


def test_the_command_says_why_it_cannot_write(study, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(CommandError, match="Cannot write to"):
        call_command("export_study", str(study.code), out=tmp_path / "taken")
