"""What a response is checked against: its dialogue, the words of its prompt, and the explanation that it was given."""

from annotation.models import Dialogue
from annotation.quality import Context


def context_of(dialogue: Dialogue, *, instructions: str = "", explanation: str = "") -> Context:
    """Return the context of the checks. `instructions` are the words of the prompt without its variables."""
    turns = dialogue.turns
    return Context(
        turns=[turn["text"] for turn in turns],
        speakers=[*(turn["speaker"] for turn in turns), dialogue.next_speaker],
        next_speaker=dialogue.next_speaker,
        language=dialogue.language,
        instructions=instructions,
        explanation=explanation,
    )
