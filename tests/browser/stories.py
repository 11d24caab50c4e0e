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


SIX_TURNS = (
    "How did it go? I have been waiting by the phone all morning.",
    "They were friendly, and then they said that the post went to somebody from inside.",
    "Oh no. After three rounds and that whole Saturday?",
    "After three rounds. I even bought shoes for the last one, and they pinch.",
    "What did they say about your work?",
    "That they would keep my name on a list. I have been on lists before, and nobody ever rang. I do not want to send "
    "another letter this week, and I do not know how to tell my parents.",
)
SIXTY_WORDS = (
    "That is a rotten way to find out, and three rounds make it worse. You do not owe anybody a letter this week, and "
    "the list can wait. Take the shoes back if the shop lets you. Tell your parents when you have slept. Do you want "
    "company tonight, or would you rather sit with it for a while?",
    "I am sorry to hear this. Being turned down is part of every search, and each talk teaches you something for the "
    "one after it. I suggest that you write down what went well and what did not, ask them for feedback, and update "
    "your letter. There are many firms out there, and one of them will surely take you soon.",
)


def make_usual_study(**over: object) -> Study:
    """A running study of one usual comparison: six turns, two responses of about sixty words, three criteria."""
    study = make_running_study(dialogues=1, k=1, **over)
    comparison = study.comparisons.get()
    dialogue = comparison.dialogue
    dialogue.social_context = "Mira and Jo have been friends since school. Mira had the last talk about a post today."
    dialogue.turns = [{"speaker": ("Jo", "Mira")[n % 2], "text": text} for n, text in enumerate(SIX_TURNS)]
    dialogue.next_speaker = "Jo"
    dialogue.save()
    both = (comparison.baseline_response, comparison.treatment_response)
    for response, text in zip(both, SIXTY_WORDS, strict=True):
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
