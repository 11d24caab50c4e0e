"""Dialogues come in through the admin whole or not at all, and every bad line is named."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from annotation.models import Collection, Dialogue
from tests import build

pytestmark = pytest.mark.django_db
ADD = "admin:annotation_collection_add"


@pytest.fixture
def researcher(client):
    client.force_login(build.make_researcher())
    return client


def line(number, **over):
    return json.dumps({"id": f"d{number}", "turns": build.TURNS, "next_speaker": "Ana"} | over)


def upload(*lines, name="dialogues.jsonl"):
    return SimpleUploadedFile(name, "\n".join(lines).encode())


def send(client, file, collection=None, name="Pilot"):
    address = reverse("admin:annotation_collection_change", args=[collection.pk]) if collection else reverse(ADD)
    return client.post(address, {"name": name, "description": "", "source": "", "licence": "", "upload": file})


def test_a_file_makes_a_collection_with_its_dialogues(researcher):
    assert send(researcher, upload(line(1), line(2))).status_code == 302
    assert list(Collection.objects.get(name="Pilot").dialogues.values_list("external_id", flat=True)) == ["d1", "d2"]


def test_one_bad_line_is_named_and_nothing_is_stored(researcher):
    page = send(researcher, upload(line(1), line(2, next_speaker="Zoe"), "{"))
    assert "Line 2, next_speaker" in page.content.decode()
    assert "Line 3" in page.content.decode()
    assert not Collection.objects.exists()
    assert not Dialogue.objects.exists()


def test_more_dialogues_are_added_to_a_collection_that_is_there(researcher):
    collection = build.make_collection(name="Pilot")
    assert send(researcher, upload(line(1)), collection).status_code == 302
    assert send(researcher, upload(line(2)), collection).status_code == 302
    assert collection.dialogues.count() == 2


def test_an_id_that_is_taken_by_another_text_is_refused_beside_the_file(researcher):
    collection = build.make_collection(name="Pilot")
    send(researcher, upload(line(1)), collection)
    page = send(researcher, upload(line(2), line(1, social_context="Another text.")), collection, name="Renamed")
    assert "d1" in str(page.context["adminform"].form.errors["upload"])
    assert collection.dialogues.count() == 1
    collection.refresh_from_db()
    assert collection.name == "Pilot"


def test_bytes_that_are_no_text_are_refused_with_a_sentence(researcher):
    page = send(researcher, SimpleUploadedFile("dialogues.jsonl", b"\xff\xfe\x00\x80"))
    assert page.context["adminform"].form.errors["upload"]


def test_a_collection_is_edited_without_a_file(researcher):
    collection = build.make_collection(name="Pilot")
    assert send(researcher, "", collection, name="Pilot 2").status_code == 302
    collection.refresh_from_db()
    assert collection.name == "Pilot 2"


@pytest.mark.parametrize("name", ["dialogues.jsonl", "dialogues.csv"])
def test_the_examples_on_the_page_can_be_imported(researcher, name):
    page = researcher.get(reverse(ADD)).content.decode()
    address = reverse("admin:annotation_collection_example", args=[name])
    assert address in page
    example = SimpleUploadedFile(name, researcher.get(address).getvalue())
    assert send(researcher, example).status_code == 302
    assert Dialogue.objects.exists()


def test_no_other_file_is_sent_as_an_example(researcher):
    outside = researcher.get("/admin/annotation/collection/example/..%2f..%2fmanage.py", follow=True)
    assert b"execute_from_command_line" not in outside.getvalue()
    assert researcher.get("/admin/annotation/collection/example/settings.py").status_code == 404
