"""Preference pairs for training and for reward models: what most people chose, against what they passed over.

A pair is made where more than half of the judgements of a criterion prefer one response. Ties, both bad and split votes
make none, and neither do comparisons that do not enter the results.
"""

from collections.abc import Callable, Iterator
from typing import Any

from annotation.dialogue_texts import Context, as_answer, as_messages, as_prompt
from annotation.models import Comparison, Criterion, Study
from annotation.services.exports.comparisons import Names, comparisons_of, context_of, counted
from annotation.services.exports.json_files import json_lines
from annotation.services.exports.judgements import item_id
from annotation.states import ComparisonKind
from annotation.votes import Votes

type Shape = Callable[[Context, str, str], dict[str, Any]]


def preferences_jsonl(study: Study) -> Iterator[str]:
    """Yield pairs with plain texts: `prompt`, `chosen` and `rejected` are strings."""
    return json_lines(preference_rows(study, _plain))


def chat_preferences_jsonl(study: Study) -> Iterator[str]:
    """Yield the same pairs with `prompt`, `chosen` and `rejected` as lists of chat messages."""
    return json_lines(preference_rows(study, _chat))


def preference_rows(study: Study, shape: Shape) -> Iterator[dict[str, Any]]:
    """Yield a row for every comparison and criterion on which one response won."""
    criteria, names = list(study.criteria.all()), Names(study)
    main = comparisons_of(study).filter(kind=ComparisonKind.MAIN, excluded_reason="")
    shown = main.filter(baseline_response__isnull=False, treatment_response__isnull=False)
    for comparison, votes in counted(shown):
        for criterion in criteria:
            said = votes.of(criterion.pk)
            if said.majority in ("A", "B"):
                yield _pair(study, comparison, criterion, said, shape, names)


def _plain(context: Context, chosen: str, rejected: str) -> dict[str, Any]:
    return {"prompt": as_prompt(context), "chosen": chosen, "rejected": rejected}


def _chat(context: Context, chosen: str, rejected: str) -> dict[str, Any]:
    return {"prompt": as_messages(context), "chosen": as_answer(chosen), "rejected": as_answer(rejected)}


def _pair(
    study: Study, comparison: Comparison, criterion: Criterion, votes: Votes, shape: Shape, names: Names
) -> dict[str, Any]:
    (baseline, treatment), dialogue = names.agents[comparison.matchup_id], comparison.dialogue
    assert comparison.baseline_response
    assert comparison.treatment_response
    sides = [
        (baseline, comparison.baseline_response.text, votes.a_wins),
        (treatment, comparison.treatment_response.text, votes.b_wins),
    ]
    (loser, rejected, fewer), (winner, chosen, more) = sides if votes.majority == "B" else reversed(sides)
    return {
        **shape(context_of(comparison), chosen, rejected),
        "criterion": criterion.key,
        "question": criterion.question,
        "votes_chosen": more,
        "votes_rejected": fewer,
        "votes_tie": votes.ties,
        "votes_both_bad": votes.both_bad,
        "votes": sum(votes),
        "chosen_agent": winner,
        "rejected_agent": loser,
        "chosen_note": names.notes.get(winner, ""),
        "rejected_note": names.notes.get(loser, ""),
        "language": dialogue.language,
        "dialogue_kind": dialogue.kind,
        "item_id": item_id(dialogue.collection_id, dialogue.external_id),
        "comparison": str(comparison.code),
        "study": study.name,
        "is_rehearsal": study.is_rehearsal,
    }
