"""The long export: what its rows say, that nobody can be recognised in it, and that every text comes back."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.models import Agent, Study
from annotation.results.load import load_table
from annotation.results.table import rearmed
from annotation.services.exports.csv_files import csv_lines
from annotation.services.exports.judgements import judgements_csv
from annotation.states import AssignmentState, Outcome, Side
from tests import build

pytestmark = pytest.mark.django_db
ALL_WON = [Outcome.TREATMENT, Outcome.TREATMENT, Outcome.TREATMENT]


def rows_of(study: Study) -> list[dict[str, str]]:
    return list(csv.DictReader("".join(judgements_csv(study)).splitlines()))


def make_judged_study(**over) -> Study:
    study = build.make_running_study(dialogues=1, k=2, **over)
    build.judge(study.slots.get(ordinal=0), build.make_annotator(study), ALL_WON)
    return study


def test_a_row_says_who_won_in_the_agents_frame_and_where_they_stood():
    study = make_judged_study()
    matchup = study.matchups.get()
    slot = study.slots.get(ordinal=1)
    build.judge(slot, build.make_annotator(study), [Outcome.BASELINE, Outcome.TIE, Outcome.BOTH_BAD])
    first, second = rows_of(study)[0], rows_of(study)[3:]
    assert (first["system_a"], first["system_b"]) == (matchup.baseline.name, matchup.treatment.name)
    assert (first["label"], first["outcome"], first["side_shown"]) == ("B", "treatment", Side.LEFT)
    assert first["shown_left"] == matchup.treatment.name
    assert [row["label"] for row in second] == ["A", "tie", "both_bad"]
    assert second[0]["shown_left"] == matchup.baseline.name
    assert [row["dimension"] for row in second] == ["naturalness", "engagingness", "prosociality"]


def test_the_category_of_the_skill_stands_beside_the_skill():
    study = make_judged_study()
    response = study.comparisons.get().treatment_response
    response.skill_of_mind = build.make_skill_of_mind(response.dialogue, skill="Echoing")
    response.save()
    assert (rows_of(study)[0]["skill"], rows_of(study)[0]["skill_category"]) == ("Echoing", "Communication & Listening")
    response.skill_of_mind.skill = "Juggling"
    response.skill_of_mind.save()
    assert (rows_of(study)[0]["skill"], rows_of(study)[0]["skill_category"]) == ("Juggling", "")


def test_grades_are_labels_with_their_sign_and_strength():
    study = make_judged_study()
    judgement = study.annotators.get().assignments.get().judgements.first()
    judgement.grade, judgement.outcome = -2, Outcome.BASELINE
    judgement.save()
    row = rows_of(study)[0]
    assert (row["label"], row["strength"], row["outcome"]) == ("-2", "2", "baseline")


def test_lengths_are_words_of_the_responses():
    study = make_judged_study()
    response = study.comparisons.get().baseline_response
    response.text = "  Three  short\nwords "
    response.save()
    assert rows_of(study)[0]["length_a"] == "3"


def test_excluded_judgements_stay_in_the_file_with_their_reason():
    study = make_judged_study()
    study.comparisons.update(excluded_reason="Both texts are the same.")
    study.annotators.update(excluded_reason="Answered in two seconds.")
    assert {row["excluded_reason"] for row in rows_of(study)} == {
        "comparison: Both texts are the same.; annotator: Answered in two seconds."
    }


def test_late_answers_are_marked_and_withdrawn_ones_are_gone():
    study = make_judged_study()
    assignments = study.annotators.get().assignments
    assignments.update(state=AssignmentState.SURPLUS)
    assert all("after the place was given" in row["excluded_reason"] for row in rows_of(study))
    assignments.update(state=AssignmentState.WITHDRAWN)
    assert rows_of(study) == []


def test_judgements_of_other_studies_and_rehearsals_are_not_in_the_file():
    study = make_judged_study()
    rehearsal = make_judged_study(rehearsal_of=study)
    assert len(rows_of(study)) == 3
    assert {row["is_rehearsal"] for row in rows_of(study)} == {"false"}
    assert {row["is_rehearsal"] for row in rows_of(rehearsal)} == {"true"}


def test_notes_on_agents_and_augmenters_travel_with_every_row():
    study = make_judged_study()
    agent = study.matchups.get().treatment
    agent.augmenter = build.make_augmenter(note="demo augmenter, not Thanos")
    agent.save()
    assert {(row["note_a"], row["note_b"]) for row in rows_of(study)} == {("", "demo augmenter, not Thanos")}


def test_platform_ids_never_leave():
    study = make_judged_study()
    study.annotators.update(platform="prolific", platform_hash="a1b2" * 16)
    text = "".join(judgements_csv(study))
    annotator = study.annotators.get()
    assert "a1b2" not in text
    assert str(annotator.code) not in text
    assert annotator.pseudonym in text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_cells_that_a_spreadsheet_would_run_are_made_text(start):
    (_, line) = csv_lines(["words"], [[f"{start}HYPERLINK()"]])
    assert next(csv.reader([line], strict=True))[0].startswith(f"'{start}")


def test_negative_numbers_stay_numbers():
    assert list(csv_lines(["grade"], [[-2]])) == ["grade\r\n", "-2\r\n"]


@given(st.text(alphabet="'=+-@\t\r\nab1", max_size=6))
def test_every_text_is_read_back_as_it_was(text):
    (_, line) = csv_lines(["words"], [["item", text]])
    (_, cell) = next(csv.reader(io.StringIO(line, newline=""), strict=True))
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert rearmed(cell) == text


def test_names_that_begin_with_a_quotation_mark_are_not_changed_on_the_page():
    study = make_judged_study()
    Agent.objects.filter(pk=study.matchups.get().baseline_id).update(name="'=old")
    assert "'=old" in load_table(study).columns["system_a"].names
    assert rows_of(study)[0]["system_a"] == "''=old"
