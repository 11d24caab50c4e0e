"""The six schemas, each read into whole dialogues. Pure: no Django.

Social contexts are in our own words around what a set says: a constant sentence (DailyDialog), emotion and situation
(EmpatheticDialogues), rules of thumb (ProsocialDialog), personas (BlendedSkillTalk), or the set's own prompt.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from annotation.dialogue_files import Turn
from annotation.public_data.cutting import Whole
from annotation.public_data.sources import DataRefused, DataRow

SPEAKERS = ("Speaker A", "Speaker B")
GAP = "a turn missing between others"
OUT_OF_STEP = "turns of the two speakers that do not alternate"
NOT_LIKE_THE_REST = "an exchange that is there twice"
DAILY_CONTEXT = "Two people talk about something of their everyday lives."
SHARED_IMAGE = "[Sharing Image]"
HARM = "In this conversation somebody says things that may be unsafe, hateful or otherwise upsetting."


@dataclass(frozen=True)
class PublicSet:
    """A public data set: what it is called here and on the hub, its terms, and how its rows become dialogues.

    `hub` is empty where its publishers gave it to no hub; `source` then says where its files are.
    """

    name: str
    title: str
    hub: str
    source: str
    licence: str
    needs: tuple[str, ...]
    read: Callable[[Iterable[DataRow]], Iterator[Whole]]


def dialogues_of(public: PublicSet, rows: Iterable[DataRow]) -> Iterator[Whole]:
    """Yield the dialogues of a set. Raises DataRefused, naming row and field, where a row has another schema."""
    return public.read(_checked(public, rows))


def _checked(public: PublicSet, rows: Iterable[DataRow]) -> Iterator[DataRow]:
    for row in rows:
        missing = [name for name in public.needs if row.cells.get(name) is None]
        if missing:
            there = ", ".join(map(str, row.cells)) or "nothing"
            raise DataRefused(
                f"Row {row.number} has no {' and no '.join(missing)}. {public.title} has the fields "
                f"{', '.join(public.needs)}; this row has {there}. Is this the right set?"
            )
        yield row


def _skill_of_mind(rows: Iterable[DataRow]) -> Iterator[Whole]:
    for row in rows:
        turns = tuple(_turn(each["speaker"], each["utter"]) for each in _structs(row, "dialogue", "speaker", "utter"))
        skills = [_clean(each["skill"]) for each in _structs(row, "parsed_generation", "skill")]
        yield Whole(
            id=_clean(row.cells["index"]) or f"row-{row.number}",
            turns=turns,
            kind="skill-of-mind",
            social_context=_text(row, "social_context_prompt"),
            reference_skills=tuple(dict.fromkeys(skill[:100] for skill in skills if skill)),
            number=row.number,
        )


def _daily(rows: Iterable[DataRow]) -> Iterator[Whole]:
    for row in rows:
        texts = _texts(row, "dialog")
        yield Whole(f"row-{row.number}", _alternating(texts), "daily-dialog", DAILY_CONTEXT, number=row.number)


def _empathetic(rows: Iterable[DataRow]) -> Iterator[Whole]:
    for conversation, members in _grouped(rows, "conv_id"):
        places = [_whole_number(row, "utterance_idx") for row in members]
        ordered = [row for _, row in sorted(zip(places, members, strict=True), key=lambda pair: pair[0])]
        emotion = _text(ordered[0], "context")
        situation = _text(ordered[0], "prompt")
        whole = Whole(
            id=conversation,
            turns=_alternating([_text(row, "utterance") for row in ordered]),
            kind="empathetic-dialogues",
            social_context=f"Speaker A feels {emotion}. What happened, as Speaker A puts it: {situation}",
            tags=(emotion[:100],) if emotion else (),
            number=ordered[0].number,
        )
        yield replace(whole, broken="" if _is_gapless(places) else GAP)


def _prosocial(rows: Iterable[DataRow]) -> Iterator[Whole]:
    for episode, members in _grouped(rows, "dialogue_id"):
        places = [_whole_number(row, "response_id") for row in members]
        ordered = [row for _, row in sorted(zip(places, members, strict=True), key=lambda pair: pair[0])]
        rules = dict.fromkeys(rule for row in ordered for rule in _texts(row, "rots") if rule)
        labels = dict.fromkeys(label for row in ordered if (label := _text(row, "safety_label").strip("_")))
        whole = Whole(
            id=episode,
            turns=_alternating([_text(row, side) for row in ordered for side in ("context", "response")]),
            kind="prosocial-dialog",
            social_context="Rules of thumb that apply here:\n" + "\n".join(f"- {rule}" for rule in rules)
            if rules
            else "",
            tags=tuple(label[:100] for label in labels),
            content_warning=HARM,
            number=ordered[0].number,
        )
        broken = NOT_LIKE_THE_REST if len(set(places)) < len(places) else GAP
        yield replace(whole, broken="" if _is_gapless(places) else broken)


def _blended(rows: Iterable[DataRow]) -> Iterator[Whole]:
    for row in rows:
        free, guided = _texts(row, "free_messages"), _texts(row, "guided_messages")
        said = [text for pair in zip_longest(free, guided) for text in pair if text is not None]
        theme = _clean(row.cells.get("context"))
        whole = Whole(
            id=f"row-{row.number}",
            turns=_alternating([*_texts(row, "previous_utterance"), *said]),
            kind="blended-skill-talk",
            social_context=_personas(row),
            tags=(theme[:100],) if theme else (),
            number=row.number,
        )
        # The free speaker begins, so the guided one has as many messages or one fewer.
        in_step = len(free) - len(guided) in (0, 1) and len(_texts(row, "previous_utterance")) % 2 == 0
        yield replace(whole, broken="" if in_step else OUT_OF_STEP)


def _photo(rows: Iterable[DataRow]) -> Iterator[Whole]:
    """The file has a description of the photo in place of the photo; whoever shares it says that."""
    for row in rows:
        said = _structs(row, "dialogue", "user_id", "message", "share_photo")
        first = said[0]["user_id"] if said else None
        photo = f"{SHARED_IMAGE} {_text(row, 'photo_description')}".strip()
        yield Whole(
            id=_clean(row.cells["dialogue_id"]) or f"row-{row.number}",
            turns=tuple(
                Turn(SPEAKERS[each["user_id"] != first], photo if each["share_photo"] else _clean(each["message"]))
                for each in said
            ),
            kind="photochat",
            number=row.number,
        )


def _personas(row: DataRow) -> str:
    """Say what is known of the speakers: the hub's copy has the second one's sentences, the original both lists."""
    value = row.cells["personas"]
    if isinstance(value, list) and len(value) == 2 and all(isinstance(each, list) for each in value):
        known = [(speaker, " ".join(map(_clean, lines))) for speaker, lines in zip(SPEAKERS, value, strict=True)]
    else:
        known = [(SPEAKERS[1], " ".join(_texts(row, "personas")))]
    return "\n".join(f"What {speaker} says of themselves: {words}" for speaker, words in known if words.strip())


def _alternating(texts: Sequence[str]) -> tuple[Turn, ...]:
    return tuple(Turn(SPEAKERS[place % 2], text) for place, text in enumerate(texts))


def _grouped(rows: Iterable[DataRow], name: str) -> Iterator[tuple[str, list[DataRow]]]:
    """Gather rows of one dialogue, wherever they stand; dialogues come in the order of their first rows."""
    groups: dict[str, list[DataRow]] = {}
    for row in rows:
        groups.setdefault(_clean(row.cells[name]), []).append(row)
    yield from groups.items()


def _is_gapless(places: Sequence[int]) -> bool:
    """Places count up by one, from 0 or 1."""
    ordered = sorted(places)
    return ordered[0] in (0, 1) and ordered == list(range(ordered[0], ordered[0] + len(ordered)))


def _turn(speaker: Any, text: Any) -> Turn:
    return Turn(_clean(speaker), _clean(text))


def _clean(value: Any) -> str:
    return "" if value is None else str(value).replace("_comma_", ",").strip()


def _text(row: DataRow, name: str) -> str:
    value = row.cells.get(name)
    if value is not None and not isinstance(value, str):
        raise DataRefused(f"Row {row.number}, {name}: expected text, found {type(value).__name__}.")
    return _clean(value)


def _whole_number(row: DataRow, name: str) -> int:
    try:
        return int(str(row.cells[name]))
    except ValueError:
        raise DataRefused(f"Row {row.number}, {name}: “{row.cells[name]}” is no whole number.") from None


def _texts(row: DataRow, name: str) -> list[str]:
    value = row.cells[name]
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise DataRefused(f"Row {row.number}, {name}: expected a list of texts.")
    return [_clean(each) for each in value]


def _structs(row: DataRow, name: str, *fields: str) -> list[Mapping[str, Any]]:
    """Return a list of objects; columns of equal length, as older versions of the library give them, are turned."""
    value = row.cells[name]
    if isinstance(value, dict) and all(isinstance(value.get(each), list) for each in fields):
        value = [
            dict(zip(fields, cells, strict=False)) for cells in zip(*(value[each] for each in fields), strict=False)
        ]
    fits = isinstance(value, list) and all(isinstance(each, dict) and set(fields) <= set(each) for each in value)
    if not fits:
        raise DataRefused(f"Row {row.number}, {name}: expected a list of objects with {' and '.join(fields)}.")
    found: list[Mapping[str, Any]] = value
    return found


SETS = {
    each.name: each
    for each in (
        PublicSet(
            "daily-dialog",
            "DailyDialog",
            "li2017dailydialog/daily_dialog",
            "Li et al. 2017, arXiv 1710.03957",
            "CC BY-NC-SA 4.0",
            ("dialog",),
            _daily,
        ),
        PublicSet(
            "empathetic-dialogues",
            "EmpatheticDialogues",
            "facebook/empathetic_dialogues",
            "Rashkin et al. 2019, arXiv 1811.00207",
            "CC BY-NC 4.0",
            ("conv_id", "utterance_idx", "context", "prompt", "utterance"),
            _empathetic,
        ),
        PublicSet(
            "prosocial-dialog",
            "ProsocialDialog",
            "allenai/prosocial-dialog",
            "Kim et al. 2022, arXiv 2205.12688",
            "CC BY 4.0",
            ("context", "response", "rots", "dialogue_id", "response_id"),
            _prosocial,
        ),
        PublicSet(
            "blended-skill-talk",
            "BlendedSkillTalk",
            "ParlAI/blended_skill_talk",
            "Smith et al. 2020, arXiv 2004.08449",
            "see the data set",
            ("personas", "previous_utterance", "free_messages", "guided_messages"),
            _blended,
        ),
        PublicSet(
            "photochat",
            "PhotoChat",
            "",
            "Zang et al. 2021, arXiv 2108.01453; github.com/google-research/google-research, multimodalchat/photochat",
            "CC BY 4.0",
            ("dialogue", "dialogue_id", "photo_description"),
            _photo,
        ),
        PublicSet(
            "skill-of-mind",
            "Multifaceted Skill-of-Mind",
            "passing2961/multifaceted-skill-of-mind",
            "arXiv 2411.04496",
            "see the data set",
            ("dialogue", "social_context_prompt", "parsed_generation", "index"),
            _skill_of_mind,
        ),
    )
}
