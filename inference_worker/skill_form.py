"""The form `explanation [RESULT SKILL] skill` as a grammar: gives a model that was not tuned for it the form."""

from collections.abc import Sequence

from inference_worker.skills import MARKER

# The marker and the longest skill take about 16 tokens of a small model's vocabulary, a word with its blank 1.5.
RESERVED_TOKENS = 16
TOKENS_PER_WORD = 1.5
FEWEST_WORDS, MOST_WORDS = 3, 60
LONGEST_WORD = 14


def word_limit(max_new_tokens: int) -> int:
    """Return how many words an explanation may have, so that the marker and the skill still fit behind it."""
    room = int((max_new_tokens - RESERVED_TOKENS) / TOKENS_PER_WORD)
    return max(FEWEST_WORDS + 1, min(room, MOST_WORDS))


def gbnf(skills: Sequence[str], *, max_new_tokens: int) -> str:
    """Return the grammar in llama.cpp's notation: one sentence of plain words, the marker, one of the skills."""
    names = " | ".join(f'"{name}"' for name in skills)
    return (
        f'root ::= " "? word (" " word){{{FEWEST_WORDS - 1},{word_limit(max_new_tokens) - 1}}} ". {MARKER} " skill\n'
        f"word ::= [A-Za-z0-9'-]{{1,{LONGEST_WORD}}} [,]?\n"
        f"skill ::= {names}\n"
    )


def regex(skills: Sequence[str], *, max_new_tokens: int) -> str:
    """Return the same language as a regular expression."""
    word = f"[A-Za-z0-9'-]{{1,{LONGEST_WORD}}},?"
    marker = MARKER.replace("[", r"\[").replace("]", r"\]")
    repeat = f"{{{FEWEST_WORDS - 1},{word_limit(max_new_tokens) - 1}}}"
    return rf" ?{word}( {word}){repeat}\. {marker} ({'|'.join(skills)})"


def skill_only(skills: Sequence[str]) -> str:
    """Return, in llama.cpp's notation, a blank and one of the skills."""
    return 'root ::= " " (' + " | ".join(f'"{name}"' for name in skills) + ")"
