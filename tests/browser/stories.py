"""Studies with real words in them, for pictures and for browser tests."""

import json
from pathlib import Path

from annotation.models import Study
from tests.build import (
    make_collection,
    make_comparison,
    make_criteria,
    make_dialogue,
    make_matchup,
    make_running_study,
    make_study,
)

BUNDLED = Path(__file__).resolve().parents[2] / "annotation/content/dialogues.jsonl"
OTHER = (
    "I’m really sorry to hear that. It sounds hard, but try to see it as a chance to grow. There is still plenty of "
    "time, and you are talented and hard-working. Have you thought about what you would like to do next? I am sure "
    "that something good will come of it if you keep a positive mind."
)


def bundled_dialogues() -> list[dict]:
    return [json.loads(line) for line in BUNDLED.read_text().splitlines()]


def make_story_study(*, kind: str = "empathy", comparisons: int = 1, k: int = 2, **over: object) -> Study:
    """A running study on bundled dialogues: the reference response against a plain one."""
    fields = {
        "title": "Which response would you rather get?",
        "state": "running",
        "judgements_per_comparison": k,
        "payment": "$3.50",
        "contact": "Dr Maja Lindqvist, study@example.org",
        "instructions": "Trust your first impression.\n\nMost comparisons take less than a minute.",
        "consent_text": "We keep your answers and the time they took, and no name or address.\n\n"
        "You can stop at any time and have your answers deleted.",
    } | over
    study = make_study(**fields)
    make_criteria(study)
    matchup = make_matchup(study)
    chosen = [d for d in bundled_dialogues() if d["kind"] == kind and not d.get("content_warning")]
    collection = make_collection()
    for record in (chosen * comparisons)[:comparisons]:
        dialogue = make_dialogue(
            collection=collection,
            kind=kind,
            social_context=record["social_context"],
            turns=record["turns"],
            next_speaker=record["next_speaker"],
        )
        comparison = make_comparison(matchup, dialogue, k=k)
        for response, text in (
            (comparison.baseline_response, OTHER),
            (comparison.treatment_response, record["reference"]),
        ):
            response.text = text
            response.save()
    return study


HARD_TEXTS = {
    "long words": "Donaudampfschifffahrtsgesellschaft" * 12,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈 " * 40,
    "right to left": "أنا آسف لسماع ذلك. هل تريد أن نتحدث عنه؟ " * 5,
    "4,000 words": "word " * 4000,
    "nothing": "",
}


def make_hard_study(text: str) -> Study:
    """A study of one comparison with this text in every place that a person or a model may fill."""
    study = make_running_study(dialogues=1, k=1)
    dialogue = study.comparisons.get().dialogue
    dialogue.social_context = text
    dialogue.turns = [{"speaker": "نور", "text": text or "Hm."}, {"speaker": "Ben", "text": "Yes?"}]
    dialogue.save()
    dialogue.responses.update(text=text[:3000] or "Well.")
    return study
