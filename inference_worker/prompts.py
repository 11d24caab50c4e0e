"""Fill a recipe's templates with one dialogue, in one pass, so that nothing people wrote is read as a template."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date

from inference_worker.schema import Item, Recipe, Turn

PLACEHOLDERS = frozenset(
    {"social_context", "dialogue", "next_speaker", "explanation", "skill", "rationale", "skills"},
)

# Some chat templates tell the model today's date, so that the same prompt would be another one tomorrow. They get the
# day that the templates of Llama 3 fall back to where none is known.
TEMPLATE_DAY = date(2024, 7, 26)
TEMPLATE_VALUES = {"date_string": TEMPLATE_DAY.strftime("%d %b %Y")}

# `{{` and `}}` stand for one brace, as in the published templates' own language (str.format).
_TOKEN = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<name>" + "|".join(sorted(PLACEHOLDERS)) + r")\}")
_HEADING = re.compile(
    r"^(?=[ \t]*(?:###|\[(?:Social Context|Dialogue|Explanation and Skill|Conversational Skill|Explanation|"
    r"Rationale|Next Response|RESULT SKILL|Skill Collections)\]))",
    re.IGNORECASE | re.MULTILINE,
)


class PromptError(ValueError):
    """A prompt cannot be made of this item; the message says what is missing."""


@dataclass(frozen=True)
class Prompt:
    """What a model is asked: one system and one user message, and what its answer must begin with, if anything."""

    system: str
    user: str
    start: str = ""

    def messages(self) -> list[dict[str, str]]:
        """Return the chat messages: without a system text only the user's; the last is the open answer's, if begun."""
        texts = {"system": self.system, "user": self.user, "assistant": self.start}
        return [{"role": role, "content": text} for role, text in texts.items() if text or role == "user"]

    def sha256(self) -> str:
        """Return the SHA-256 of the messages as compact JSON, in hexadecimal."""
        compact = json.dumps(self.messages(), ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(compact.encode()).hexdigest()


def render(recipe: Recipe, item: Item, *, start: str = "") -> Prompt:
    """Return the prompt of one item. Raises PromptError where a template asks for guidance that the item lacks.

    `start` is a template too: small models take a turn better when the answer begins with `{next_speaker}:`.
    """
    values = _values(recipe, item)
    return Prompt(*(_fill(template, values) for template in (recipe.system, recipe.user, start)))


def placeholders(template: str) -> set[str]:
    """Return the names that a template asks for, the known ones."""
    return {match["name"] for match in _TOKEN.finditer(template) if match["name"]}


def dialogue_lines(turns: tuple[Turn, ...]) -> str:
    """Return one line an utterance, `Name: text`; line breaks inside a text become spaces."""
    return "\n".join(f"{_one_line(turn.speaker)}: {_one_line(turn.text)}" for turn in turns)


def _values(recipe: Recipe, item: Item) -> dict[str, str]:
    explanation = quoted(item.explanation.strip())
    return {
        "social_context": quoted(item.social_context.strip()),
        "dialogue": quoted(dialogue_lines(item.turns)),
        "next_speaker": _one_line(item.next_speaker),
        "explanation": explanation,
        "rationale": explanation,
        "skill": _one_line(item.skill),
        "skills": ", ".join(recipe.skills),
    }


def quoted(text: str) -> str:
    """Put `> ` before each line that looks like a heading of the prompt, so that no writer can open a section."""
    return _HEADING.sub("> ", "\n".join(text.splitlines()))


def _fill(template: str, values: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match["brace"]:
            return match["brace"][0]
        name = match["name"]
        if not values[name] and name != "social_context":
            raise PromptError(f"The prompt needs a text for {{{name}}}, and this item has none.")
        return values[name] + (":" if name == "next_speaker" and _stands_alone(template, match) else "")

    return _TOKEN.sub(value, template)


def _stands_alone(template: str, match: re.Match[str]) -> bool:
    """Tell whether a placeholder is all of its line: there the published templates mean the name and a colon."""
    before, after = template[: match.start()], template[match.end() :]
    return (not before or before.endswith("\n")) and (not after or after.startswith("\n"))


def _one_line(text: str) -> str:
    return " ".join(text.split())
