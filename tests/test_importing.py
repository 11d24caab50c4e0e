"""Importing dialogues: whole files, nothing half done, nothing changed under a study."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from annotation.dialogue_files import DialogueFileErrors, parse_dialogues
from annotation.models import Agent, Collection, Comparison, Dialogue, Matchup, Response, Study
from annotation.services.importing import (
    BUNDLED_NAME,
    ImportRefused,
    as_record,
    import_bundled,
    import_dialogues,
    import_file,
)
from annotation.states import StudyState
from webapp.env import ROOT

pytestmark = pytest.mark.django_db
EXAMPLE = ROOT / "docs" / "examples" / "dialogues.jsonl"


def a_line(id="a", text="Is it far?", **over):
    turns = [{"speaker": "Ana", "text": text}]
    return json.dumps({"id": id, "turns": turns, "next_speaker": "Luis"} | over) + "\n"


def import_lines(*lines, collection="Pilot", **options):
    return import_file(collection, file=io.BytesIO("".join(lines).encode()), filename="d.jsonl", **options)


def show_in_study(dialogue, *, state):
    study = Study.objects.create(name="S", title="S", state=state)
    plain, guided = (Agent.objects.create(name=name) for name in ("plain", "guided"))
    matchup = Matchup.objects.create(study=study, baseline=plain, treatment=guided)
    return Comparison.objects.create(study=study, matchup=matchup, dialogue=dialogue)


def test_a_file_becomes_a_collection():
    result = import_lines(a_line(tags=["bus"]), a_line("b", language="de"), source="Own", licence="CC0")
    assert (result.created, result.updated, result.unchanged) == (2, 0, 0)
    first, second = Dialogue.objects.filter(collection__name="Pilot").order_by("external_id")
    assert first.turns == [{"speaker": "Ana", "text": "Is it far?"}]
    assert first.tags == ["bus"]
    assert second.language == "de"
    assert (result.collection.source, result.collection.licence) == ("Own", "CC0")


def test_every_field_of_the_example_is_stored():
    with EXAMPLE.open("rb") as file:
        import_file("Examples", file=file, filename=EXAMPLE.name)
    stored = [as_record(dialogue) for dialogue in Dialogue.objects.order_by("id")]
    assert stored == parse_dialogues(io.BytesIO(EXAMPLE.read_bytes()), filename=EXAMPLE.name)


def test_a_bad_line_changes_nothing():
    with pytest.raises(DialogueFileErrors, match="Line 2, turns"):
        import_lines(a_line(), a_line("b", turns=[]))
    assert not Collection.objects.exists()
    assert not Dialogue.objects.exists()


def test_the_same_file_twice_changes_nothing():
    import_lines(a_line(), a_line("b"))
    before = list(Dialogue.objects.values())
    result = import_lines(a_line(), a_line("b"))
    assert (result.created, result.unchanged) == (0, 2)
    assert list(Dialogue.objects.values()) == before


def test_the_same_id_may_be_in_two_collections():
    import_lines(a_line())
    assert import_lines(a_line(text="Other"), collection="Second").created == 1


def test_another_text_under_an_id_is_refused_and_new_lines_with_it():
    import_lines(a_line())
    with pytest.raises(ImportRefused, match=r"a \(line 1\)"):
        import_lines(a_line(text="Is it near?"), a_line("b"))
    assert [dialogue.turns[0]["text"] for dialogue in Dialogue.objects.all()] == ["Is it far?"]


def test_an_update_replaces_the_text():
    import_lines(a_line(), a_line("b"))
    result = import_lines(a_line(text="Is it near?"), a_line("b"), a_line("c"), update=True)
    assert (result.created, result.updated, result.unchanged) == (1, 1, 1)
    assert Dialogue.objects.get(external_id="a").turns[0]["text"] == "Is it near?"


@pytest.mark.parametrize("state", [StudyState.RUNNING, StudyState.PAUSED, StudyState.CLOSED])
def test_what_a_launched_study_shows_cannot_be_updated(state):
    import_lines(a_line())
    show_in_study(Dialogue.objects.get(), state=state)
    with pytest.raises(ImportRefused, match="launched study"):
        import_lines(a_line(text="Is it near?"), update=True)


def test_what_a_draft_shows_can_be_updated():
    import_lines(a_line())
    show_in_study(Dialogue.objects.get(), state=StudyState.DRAFT)
    assert import_lines(a_line(text="Is it near?"), update=True).updated == 1


def test_what_was_answered_already_cannot_be_updated():
    import_lines(a_line())
    agent = Agent.objects.create(name="plain")
    Response.objects.create(dialogue=Dialogue.objects.get(), agent=agent, text="It is.")
    with pytest.raises(ImportRefused, match="have responses"):
        import_lines(a_line(text="Is it near?"), update=True)


def test_new_dialogues_may_join_a_collection_that_is_in_use():
    import_lines(a_line())
    show_in_study(Dialogue.objects.get(), state=StudyState.RUNNING)
    assert import_lines(a_line(), a_line("b")).created == 1


def test_a_dry_run_stores_nothing_and_counts_the_same():
    import_lines(a_line())
    result = import_lines(a_line(), a_line("b"), collection="Pilot", dry_run=True)
    assert (result.created, result.unchanged) == (1, 1)
    assert str(result).startswith("Nothing was stored.")
    import_lines(a_line(), collection="New", dry_run=True)
    assert Dialogue.objects.count() == Collection.objects.count() == 1


def test_another_licence_for_the_same_collection_is_refused():
    import_lines(a_line(), licence="CC BY 4.0")
    with pytest.raises(ImportRefused, match=r"has the licence “CC BY 4\.0”"):
        import_lines(a_line("b"), licence="CC0")
    assert import_lines(a_line("b"), source="Own").collection.licence == "CC BY 4.0"


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b"])
def test_a_collection_needs_a_name_that_can_be_stored(name):
    with pytest.raises(ImportRefused, match="collection's name"):
        import_lines(a_line(), collection=name)


def test_the_bundled_collection_is_made_once():
    first = import_bundled()
    assert first.dialogues.count() == 56
    assert (first.name, first.licence) == (BUNDLED_NAME, "CC BY 4.0")
    Dialogue.objects.filter(external_id="smalltalk-01").update(kind="edited")
    Dialogue.objects.filter(external_id="smalltalk-02").delete()
    again = import_bundled()
    assert again == first
    assert again.dialogues.count() == 56
    assert again.dialogues.get(external_id="smalltalk-01").kind == "edited"


def test_five_thousand_dialogues_need_few_statements(django_assert_max_num_queries):
    records = parse_dialogues(io.BytesIO("".join(map(a_line, map(str, range(5000)))).encode()), filename="d.jsonl")
    collection = Collection.objects.create(name="Large")
    with django_assert_max_num_queries(16):
        import_dialogues(collection, records=records)


def run_command(*args):
    out = io.StringIO()
    call_command("import_dialogues", *map(str, args), stdout=out)
    return out.getvalue()


def test_the_command_imports_a_file():
    assert run_command(EXAMPLE, "--collection", "Pilot", "--source", "Own") == (
        "Imported into “Pilot”: 3 new, 0 changed, 0 as before.\n"
    )
    assert "“Pilot” would give 0 new" in run_command(EXAMPLE, "--collection", "Pilot", "--dry-run")


def test_the_command_tells_line_and_field(tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text(a_line() + a_line("b", next_speaker=""))
    with pytest.raises(CommandError, match="Line 2, next_speaker: This field is missing"):
        run_command(bad, "--collection", "Pilot")


def test_the_command_says_which_file_it_cannot_read(tmp_path):
    with pytest.raises(CommandError, match=r"Cannot read .*: No such file"):
        run_command(tmp_path / "none.jsonl", "--collection", "Pilot")
