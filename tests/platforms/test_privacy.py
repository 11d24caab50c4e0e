"""What is stored about people, and how it goes: erasure, retention, and the inventory."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from annotation.inventory import INVENTORY, NEVER
from annotation.models import (
    Annotator,
    Event,
    Invitation,
    Judgement,
    PayDecision,
    PlatformEvent,
    PlatformIdentity,
    ProblemReport,
    StoredBundle,
    StoredReport,
)
from annotation.services.identities import open_person
from annotation.services.trail import EXPORT_BUNDLE
from annotation.states import Exit
from tests.build import make_researcher, make_stranger
from tests.pages.people import answers, held_by, page_of
from tests.platforms.people import ANA, come_in, home_of, judge_all, make_recruiting_study, prolific_link
from webapp.env import Env
from webapp.secrets import identity_key

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return make_recruiting_study("prolific", codes={Exit.COMPLETED: "DONE77"}, quota_per_annotator=2)


@pytest.fixture
def annotator(client, study):
    """Somebody who judged one comparison, reported it, and holds another."""
    annotator = come_in(client, study, prolific_link(study))
    client.post(f"{home_of(study)}next/")
    held = held_by(annotator)
    client.post(page_of(held, "report/"), {"text": "I am Ana and this is cut off."})
    client.post(page_of(held), answers(study))
    return annotator


@pytest.fixture
def researcher():
    browser = Client()
    browser.force_login(make_researcher())
    return browser


def tables_about_people() -> set[str]:
    """Every table from which a chain of foreign keys leads to an annotator, and those that hold their names."""
    found: set[type] = {Annotator, Invitation, PlatformEvent, Event, StoredReport, StoredBundle}
    while True:
        more = {
            model
            for model in apps.get_app_config("annotation").get_models()
            if any(field.is_relation and field.related_model in found for field in model._meta.concrete_fields)
        }
        if more <= found:
            return {model.__name__ for model in found}
        found |= more


def test_the_inventory_names_every_column_about_people():
    said = {(row.table, column) for row in INVENTORY for column in row.columns}
    stored = {
        (name, column.name)
        for name in tables_about_people()
        for column in apps.get_model("annotation", name)._meta.concrete_fields
    }
    assert said == stored


def test_the_inventory_stands_in_the_docs_and_on_a_page(researcher):
    docs = (ROOT / "docs" / "privacy.md").read_text()
    page = researcher.get("/studies/inventory/")
    assert " ".join(NEVER.split()) in " ".join(docs.split())
    for row in INVENTORY:
        assert f"| {row.table} | {row.what} | {row.why} | {row.how_long} |" in docs
        assert row.columns[0] in page.text


def test_the_inventory_is_for_the_team(client):
    assert client.get("/studies/inventory/").status_code == 302
    client.force_login(make_stranger())
    assert client.get("/studies/inventory/").status_code == 403


def test_an_annotator_can_have_everything_erased(client, study, annotator):
    page = client.post(f"{home_of(study)}leave/", {"answers": "delete"}, follow=True)
    assert "has been carried out" in page.text
    annotator.refresh_from_db()
    identity = annotator.identity
    assert not Judgement.objects.exists()
    assert not ProblemReport.objects.exists()
    assert (annotator.exit, annotator.feedback) == (Exit.WITHDREW, "")
    assert (identity.sealed_person, identity.sealed_submission) == ("", "")
    assert identity.erased_at
    assert annotator.platform_hash
    assert study.slots.filter(is_open=True).count() == study.slots.count()


def test_after_erasure_the_same_person_does_not_come_twice(client, study, annotator):
    client.post(f"{home_of(study)}leave/", {"answers": "delete"})
    assert Client().get(prolific_link(study)).status_code == 409


def test_whoever_has_finished_can_still_have_it_erased_and_keeps_the_code(client, study, annotator):
    judge_all(client, study, annotator)
    assert "Delete your answers?" in client.get(f"{home_of(study)}leave/").text
    page = client.post(f"{home_of(study)}leave/", {"answers": "delete"}, follow=True)
    assert "have been deleted, as you wished" in page.text
    assert "cc=DONE77" in page.text
    assert not Judgement.objects.exists()


@pytest.mark.parametrize("part", ["next/", "guidelines/", "instructions/", "finish/", "rate", "report"])
def test_every_page_leads_to_leaving(client, study, annotator, part):
    held = held_by(annotator)
    pages = {"rate": page_of(held), "report": page_of(held, "report/")}
    if part == "finish/":
        judge_all(client, study, annotator)
    assert f"{home_of(study)}leave/" in client.get(pages.get(part, home_of(study) + part), follow=True).text


def test_something_that_does_not_work_is_an_exit_of_its_own(client, study, annotator):
    page = client.post(f"{home_of(study)}leave/", {"answers": "problem"}, follow=True)
    assert "sorry that something does not work" in page.text
    assert study.annotators.get().exit == Exit.TECHNICAL_PROBLEM
    assert Judgement.objects.exists()


def test_a_researcher_erases_a_person_and_learns_which_files_hold_them(researcher, study, annotator):
    Event.objects.create(study=study, verb=EXPORT_BUNDLE)
    page = researcher.post(f"/admin/annotation/annotator/{annotator.pk}/do/erase/", follow=True)
    assert "Files made before still hold them" in page.text
    assert "export bundle of" in page.text
    assert not Judgement.objects.exists()
    assert study.events.get(verb="erase annotator").detail["annotator"] == annotator.pseudonym
    assert ANA not in str(list(study.events.values()))


def test_an_id_is_shown_to_a_researcher_who_says_why_and_leaves_a_trace(researcher, study, annotator):
    address = f"/admin/annotation/annotator/{annotator.pk}/"
    assert ANA not in researcher.get(f"{address}change/").text
    assert ANA not in researcher.get(f"{address}do/show-id/").text
    page = researcher.post(f"{address}do/show-id/", {"reason": "Payment."}, follow=True)
    assert ANA in page.text
    assert study.events.get(verb="show id").detail["reason"] == "Payment."


@pytest.mark.parametrize("by", ["annotator", "researcher"])
def test_erasure_takes_the_reasons_and_figures_that_are_kept_elsewhere(client, researcher, study, annotator, by):
    pages = f"/studies/{study.code}/annotators/"
    reason = "Answered like a machine, in a hurry."
    researcher.post(f"{pages}{annotator.pk}/exclude/", {"reason": reason})
    researcher.get(pages)
    assert annotator.pseudonym in str(list(StoredReport.objects.values()))
    if by == "annotator":
        client.post(f"{home_of(study)}leave/", {"answers": "delete"})
    else:
        researcher.post(f"/admin/annotation/annotator/{annotator.pk}/do/erase/")
    kept = Event.objects.get(verb="exclude annotator")
    assert (kept.detail, kept.actor is None) == ({"annotator": annotator.pseudonym}, False)
    assert annotator.pseudonym not in str(list(StoredReport.objects.values()))
    assert reason not in researcher.get(f"/studies/{study.code}/ledger/").text
    assert "Nobody has judged a comparison yet" in researcher.get(f"/studies/{study.code}/results/").text


def test_with_another_key_an_id_is_not_called_erased(researcher, study, annotator, settings):
    settings.IDENTITY_KEY = "another" * 10
    page = researcher.post(f"/admin/annotation/annotator/{annotator.pk}/do/show-id/", {"reason": "Pay."}, follow=True)
    assert "sealed with another IDENTITY_KEY" in page.text
    assert not study.events.filter(verb="show id").exists()


def run_retention(**options) -> str:
    out = StringIO()
    call_command("apply_retention", stdout=out, **options)
    return out.getvalue()


def test_ids_go_when_the_study_was_closed_long_enough_ago(study, annotator):
    closed = timezone.now() - timedelta(days=61)
    type(study).objects.filter(pk=study.pk).update(state="closed", closed_at=closed)
    said = run_retention(dry_run=True)
    assert "ids of 1 people" in said
    assert "Would erase" in said
    assert open_person(annotator.identity) == ANA
    assert "ids of 1 people" in run_retention()
    assert open_person(PlatformIdentity.objects.get()) == ""
    assert PlatformIdentity.objects.get().person_hash
    assert Judgement.objects.exists()
    assert "for 0 studies" in run_retention()


@pytest.mark.parametrize("days", [None, 10])
def test_ids_stay_while_a_study_runs_or_is_freshly_closed(study, annotator, days):
    if days:
        closed = timezone.now() - timedelta(days=days)
        type(study).objects.filter(pk=study.pk).update(state="closed", closed_at=closed)
    run_retention()
    assert open_person(annotator.identity) == ANA


def test_no_table_and_no_export_holds_an_id(researcher, study, annotator):
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{ANA}%"])
            assert cursor.fetchone()[0] == 0, table
    answer = researcher.get(f"/studies/{study.code}/exports/judgements.csv")
    text = b"".join(answer.streaming_content).decode()
    assert annotator.pseudonym in text
    assert ANA not in text
    assert annotator.platform_hash not in text
    assert annotator.identity.person_hash not in text


def test_the_key_of_ids_is_a_file_that_only_its_owner_reads(tmp_path):
    env = Env({"DATA_DIR": str(tmp_path)})
    key = identity_key(env)
    assert identity_key(env) == key
    assert len(key) > 60
    assert (tmp_path / "identity_key").stat().st_mode & 0o777 == 0o600
    assert identity_key(Env({"DATA_DIR": str(tmp_path), "IDENTITY_KEY": "k" * 40})) == "k" * 40


@pytest.mark.parametrize(("decision", "is_kept"), [("bonus", True), ("reject", False)])
def test_erasure_takes_the_words_of_a_decision_about_pay(client, study, annotator, decision, is_kept):
    facts = {"message": "You answered like nobody else, Ms Miller.", "bonus": 1, "decided_at": timezone.now()}
    PayDecision.objects.create(annotator=annotator, decision=decision, **facts)
    client.post(f"{home_of(study)}leave/", {"answers": "delete"})
    assert list(PayDecision.objects.values_list("decision", "message")) == ([(decision, "")] if is_kept else [])
