"""Comparisons in wide format: one row for each, with its texts and what people said on every criterion."""

from collections.abc import Iterator
from itertools import batched
from typing import Any, NamedTuple

from django.db.models import F, QuerySet

from annotation.dialogue_texts import Context, as_lines
from annotation.models import Collection, Comparison, Criterion, Study
from annotation.services.exports.counting import Tally, tally
from annotation.services.exports.csv_files import csv_lines
from annotation.services.exports.judgements import item_id, joined, matchup_name, notes_by_name
from annotation.services.exports.lengths import WordCount
from annotation.votes import Votes

ROWS_AT_A_TIME = 500


class ComparisonRow(NamedTuple):
    """The columns that every study has; five for each criterion follow (`VOTES`)."""

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
    social_context: str
    dialogue: str
    next_speaker: str
    reference: str
    response_a: str
    response_b: str
    flags_a: str
    flags_b: str
    skill_a: str
    skill_b: str
    length_a: int | str
    length_b: int | str
    judged: int
    left_out: int
    excluded_reason: str
    released_reason: str
    is_rehearsal: str
    note_a: str
    note_b: str


VOTES = ("a_wins", "ties", "b_wins", "both_bad", "majority")

_RELATED = ("dialogue", "baseline_response", "treatment_response")
# Read for nothing, and large.
_UNUSED = [f"{side}_response__{column}" for side in ("baseline", "treatment") for column in ("raw_text", "provenance")]


def comparisons_csv(study: Study) -> Iterator[str]:
    """Yield the file line by line."""
    criteria = list(study.criteria.all())
    return csv_lines(header(criteria), _cells(study, criteria))


def header(criteria: list[Criterion]) -> list[str]:
    """Return the names of the columns: those of every study, then five for each criterion, named by its key."""
    return [*ComparisonRow._fields, *(f"{criterion.key}_{part}" for criterion in criteria for part in VOTES)]


def comparisons_of(study: Study) -> QuerySet[Comparison]:
    """Every comparison of the study in the order in which they were made, with its dialogue and its responses.

    Matchups and collections are few: they are looked up instead of being read again with every row.
    """
    of_responses = {
        "words_a": WordCount("baseline_response__text"),
        "words_b": WordCount("treatment_response__text"),
        "skill_a": F("baseline_response__skill_of_mind__skill"),
        "skill_b": F("treatment_response__skill_of_mind__skill"),
    }
    rows = study.comparisons.select_related(*_RELATED).defer(*_UNUSED)
    return rows.annotate(**of_responses).order_by("pk")


class Names:
    """Names that many rows share, by id: agents of a matchup, collections; and what must be said of agents, by name."""

    def __init__(self, study: Study) -> None:
        pairs = study.matchups.values_list("pk", "baseline__name", "treatment__name")
        self.agents = {pk: (baseline, treatment) for pk, baseline, treatment in pairs}
        ours = Collection.objects.filter(dialogues__comparisons__study=study).order_by()
        self.collections = dict(ours.distinct().values_list("pk", "name"))
        self.notes = notes_by_name(study)


def counted(rows: QuerySet[Comparison]) -> Iterator[tuple[Comparison, Tally]]:
    """Yield comparisons with their votes. Memory does not grow with their number: some hundreds are held at a time."""
    for some in batched(rows.iterator(chunk_size=ROWS_AT_A_TIME), ROWS_AT_A_TIME):
        tallies = tally([comparison.pk for comparison in some])
        for comparison in some:
            yield comparison, tallies[comparison.pk]


def _cells(study: Study, criteria: list[Criterion]) -> Iterator[list[Any]]:
    names = Names(study)
    for comparison, votes in counted(comparisons_of(study)):
        row: list[Any] = list(_row(study, comparison, votes, names))
        yield row + [cell for criterion in criteria for cell in _said(votes.of(criterion.pk))]


def _said(votes: Votes) -> tuple[int | str, ...]:
    return (*votes, votes.majority)


def context_of(comparison: Comparison) -> Context:
    """Return what stands before the two responses."""
    dialogue = comparison.dialogue
    return Context(dialogue.social_context, dialogue.turns, dialogue.next_speaker)


def _row(study: Study, comparison: Comparison, votes: Tally, names: Names) -> ComparisonRow:
    dialogue, (baseline, treatment) = comparison.dialogue, names.agents[comparison.matchup_id]
    a, b = comparison.baseline_response, comparison.treatment_response
    return ComparisonRow(
        study=study.name,
        comparison=str(comparison.code),
        item_id=item_id(dialogue.collection_id, dialogue.external_id),
        collection=names.collections[dialogue.collection_id],
        dialogue_kind=dialogue.kind,
        language=dialogue.language,
        tags=joined(dialogue.tags),
        kind=comparison.kind,
        matchup=matchup_name(baseline, treatment),
        system_a=baseline,
        system_b=treatment,
        social_context=dialogue.social_context,
        dialogue=as_lines(context_of(comparison)),
        next_speaker=dialogue.next_speaker,
        reference=dialogue.reference,
        response_a=a.text if a else "",
        response_b=b.text if b else "",
        flags_a=joined(a.flags) if a else "",
        flags_b=joined(b.flags) if b else "",
        skill_a=_found(comparison, "skill_a"),
        skill_b=_found(comparison, "skill_b"),
        length_a=_found(comparison, "words_a"),
        length_b=_found(comparison, "words_b"),
        judged=votes.judged,
        left_out=votes.left_out,
        excluded_reason=comparison.excluded_reason,
        released_reason=comparison.released_reason,
        is_rehearsal="true" if study.is_rehearsal else "false",
        note_a=names.notes.get(baseline, ""),
        note_b=names.notes.get(treatment, ""),
    )


def _found(comparison: Comparison, name: str) -> Any:
    """What the query looked up beside the comparison; empty where there is no response."""
    value = getattr(comparison, name)
    return "" if value is None else value
