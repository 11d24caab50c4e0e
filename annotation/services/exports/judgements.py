"""Judgements in long format: one row for each answer to one criterion, in the order in which they came in."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from annotation.models import Judgement, Study
from annotation.services.exports.csv_files import csv_lines
from annotation.services.exports.lengths import Lengths
from annotation.services.generation import notes_of
from annotation.states import AssignmentState, Outcome, Side
from inference_worker.schema import CATEGORY_OF

ROWS_AT_A_TIME = 2000
LABELS = {Outcome.BASELINE: "A", Outcome.TREATMENT: "B", Outcome.TIE: "tie", Outcome.BOTH_BAD: "both_bad"}
TOO_LATE = "answered after the place was given to somebody else"


class JudgementRow(NamedTuple):
    """One line of the file; docs/exports.md says what each column means."""

    study: str
    comparison: str
    item_id: str
    collection: str
    dialogue_kind: str
    language: str
    tags: str
    kind: str
    matchup: str
    system_a: str
    system_b: str
    rater_id: str
    dimension: str
    label: str | int
    outcome: str
    strength: int | str
    shown_left: str
    side_shown: str
    length_a: int | str
    length_b: int | str
    skill: str
    skill_category: str
    served_at: str
    submitted_at: str
    seconds: float | str
    active_seconds: float | str
    reason: str
    excluded_reason: str
    is_rehearsal: str
    note_a: str
    note_b: str


HEADER = JudgementRow._fields

# Where each fact is found from a judgement; the names are those of the keyword arguments of `_row`.
FACTS = {
    "comparison": "assignment__comparison__code",
    "dialogue": "assignment__comparison__dialogue__external_id",
    "collection_id": "assignment__comparison__dialogue__collection_id",
    "collection": "assignment__comparison__dialogue__collection__name",
    "dialogue_kind": "assignment__comparison__dialogue__kind",
    "language": "assignment__comparison__dialogue__language",
    "tags": "assignment__comparison__dialogue__tags",
    "kind": "assignment__comparison__kind",
    "baseline": "assignment__comparison__matchup__baseline__name",
    "treatment": "assignment__comparison__matchup__treatment__name",
    "baseline_response": "assignment__comparison__baseline_response_id",
    "treatment_response": "assignment__comparison__treatment_response_id",
    "baseline_skill": "assignment__comparison__baseline_response__skill_of_mind__skill",
    "treatment_skill": "assignment__comparison__treatment_response__skill_of_mind__skill",
    "comparison_excluded": "assignment__comparison__excluded_reason",
    "rater": "assignment__annotator__pseudonym",
    "rater_excluded": "assignment__annotator__excluded_reason",
    "state": "assignment__state",
    "claimed_at": "assignment__claimed_at",
    "submitted_at": "assignment__submitted_at",
    "active_ms": "assignment__active_ms",
    "criterion": "criterion__key",
    "outcome_": "outcome",
    "grade_": "grade",
    "side": "treatment_side",
    "given_reason": "reason",
}


def judgements_of(study: Study) -> QuerySet[Judgement]:
    """Every judgement of the study but those that their authors withdrew, in the order of submission."""
    kept = Q(assignment__state__in=[AssignmentState.SUBMITTED, AssignmentState.SURPLUS])
    rows = Judgement.objects.filter(kept, assignment__comparison__study=study)
    return rows.order_by("assignment__submitted_at", "assignment_id", "criterion__position", "criterion_id")


def notes_by_name(study: Study) -> dict[str, str]:
    """Return what must be said of the agents of a study, by their names; agents of which nothing is said are absent."""
    return {agent.name: note for agent, note in notes_of(study)}


def judgement_rows(study: Study) -> Iterator[JudgementRow]:
    """Yield the rows of the export. Memory does not grow with their number: the database keeps the cursor."""
    lengths, notes = Lengths(study), notes_by_name(study)
    rows = judgements_of(study).values_list(*FACTS.values())
    for facts in rows.iterator(chunk_size=ROWS_AT_A_TIME):
        yield _row(study, dict(zip(FACTS, facts, strict=True)), lengths, notes)


def judgements_csv(study: Study) -> Iterator[str]:
    """Yield the file line by line."""
    return csv_lines(HEADER, judgement_rows(study))


def _row(study: Study, facts: dict[str, Any], lengths: Lengths, notes: dict[str, str]) -> JudgementRow:
    is_left = facts["side"] == Side.LEFT
    skill = facts["treatment_skill"] or facts["baseline_skill"] or ""
    return JudgementRow(
        study=study.name,
        comparison=str(facts["comparison"]),
        item_id=item_id(facts["collection_id"], facts["dialogue"]),
        collection=facts["collection"],
        dialogue_kind=facts["dialogue_kind"],
        language=facts["language"],
        tags=joined(facts["tags"]),
        kind=facts["kind"],
        matchup=matchup_name(facts["baseline"], facts["treatment"]),
        system_a=facts["baseline"],
        system_b=facts["treatment"],
        rater_id=facts["rater"],
        dimension=facts["criterion"],
        label=label_of(facts["outcome_"], facts["grade_"]),
        outcome=facts["outcome_"],
        strength="" if facts["grade_"] is None else abs(facts["grade_"]),
        shown_left=facts["treatment"] if is_left else facts["baseline"],
        side_shown=facts["side"],
        length_a=lengths.of(facts["baseline_response"]),
        length_b=lengths.of(facts["treatment_response"]),
        skill=skill,
        skill_category=CATEGORY_OF.get(skill, ""),
        served_at=_moment(facts["claimed_at"]),
        submitted_at=_moment(facts["submitted_at"]),
        seconds=_seconds_between(facts["claimed_at"], facts["submitted_at"]),
        active_seconds="" if facts["active_ms"] is None else facts["active_ms"] / 1000,
        reason=facts["given_reason"],
        excluded_reason=excluded_reason(facts["state"], facts["comparison_excluded"], facts["rater_excluded"]),
        is_rehearsal="true" if study.is_rehearsal else "false",
        note_a=notes.get(facts["baseline"], ""),
        note_b=notes.get(facts["treatment"], ""),
    )


def item_id(collection_id: int, external_id: str) -> str:
    """Return the name of a dialogue in exports: ids of imported files repeat between collections."""
    return f"{collection_id}:{external_id}"


def matchup_name(baseline: str, treatment: str) -> str:
    return f"{treatment} against {baseline}"


def joined(words: Iterable[Any]) -> str:
    """Return a list as one cell."""
    return "|".join(map(str, words))


def label_of(outcome: str, grade: int | None) -> str | int:
    """Return A, B, tie or both_bad; on graded scales the grade, negative where A (the baseline) is better."""
    return LABELS[Outcome(outcome)] if grade is None or outcome == Outcome.BOTH_BAD else grade


def excluded_reason(state: str, comparison: str, annotator: str) -> str:
    """Say why a judgement is left out of the results; empty when it counts."""
    reasons = {"comparison": comparison, "annotator": annotator}
    said = [f"{what}: {reason}" for what, reason in reasons.items() if reason]
    return "; ".join(([TOO_LATE] if state == AssignmentState.SURPLUS else []) + said)


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="milliseconds") if at else ""


def _seconds_between(start: datetime, end: datetime | None) -> float | str:
    return round((end - start).total_seconds(), 3) if end else ""
