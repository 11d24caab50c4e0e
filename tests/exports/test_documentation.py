"""docs/exports.md names every column and key of every file, in order."""

import json
import re
from pathlib import Path

import pytest

from annotation.services.exports.bundle import DOWNLOADS, make_bundle
from annotation.services.exports.comparisons import VOTES, ComparisonRow
from annotation.services.exports.judgements import HEADER
from annotation.services.exports.study_files import LEDGER
from annotation.views.snapshots import snapshots
from tests.console.judging import make_judged_study
from tests.exports.reading import content, json_rows
from tests.exports.test_bundle import members

pytestmark = pytest.mark.django_db
DOCS = (Path(__file__).resolve().parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading, up to the next one of its level."""
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL)[1]


def named(title: str) -> list[str]:
    """What the tables of a section name in their first column."""
    return re.findall(r"^\| `([^`]+)` \|", section(title), re.MULTILINE)


def test_every_file_has_a_section():
    headings = re.findall(r"^## (.*)", DOCS, re.MULTILINE)
    documented = {name.strip() for heading in headings for name in heading.split(",")}
    assert {file.name for file in DOWNLOADS} <= documented


def test_columns_of_the_tables():
    assert named("judgements.csv") == list(HEADER)
    assert named("comparisons.csv") == [*ComparisonRow._fields, *(f"CRITERION_{part}" for part in VOTES)]


def test_keys_of_the_lines():
    study = make_judged_study(dialogues=2, k=1, annotators=1, pull=1)
    assert named("preferences.jsonl") == list(json_rows(study, "preferences.jsonl")[0])
    assert named("preferences.jsonl") == list(json_rows(study, "preferences-chat.jsonl")[0])
    keys = list(json_rows(study, "responses.jsonl")[0])
    own = named("responses.jsonl")
    guided = [f"guidance_{key}" for key in own[own.index("model") : own.index("provenance_json") + 1]]
    assert keys == [*own, *guided, "is_rehearsal"]


def test_keys_of_the_datasheet():
    study = make_judged_study(dialogues=2, k=1, annotators=1)
    written = json.loads(content(study, "datasheet.json"))
    assert named("datasheet.md, datasheet.json") == list(written)
    for key in written["answers"][0]:
        assert f"`{key}`" in section("datasheet.md, datasheet.json")


def test_members_of_the_bundle(tmp_path):
    study = make_judged_study(dialogues=2, k=1, annotators=1)
    found = set(members(make_bundle(study, tmp_path, pages=snapshots).path))
    documented = {*named("bundle.zip"), *(file.name for file in DOWNLOADS)}
    assert {name for name in found if "/" not in name} <= documented
    assert {name.split("/")[0] + "/" for name in found if "/" in name} <= documented
    assert all(f"`{column}`" in section("bundle.zip") for column in LEDGER)
