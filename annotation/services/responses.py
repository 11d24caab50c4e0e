"""Bring finished responses in, so that any system can be compared: all of a file or nothing of it."""

import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import IO

from django.db import transaction

from annotation.models import Agent, Collection, Dialogue, Response, SkillOfMind
from annotation.quality import Checked, check, storable, usable
from annotation.response_files import ResponseFileErrors, ResponseRecord, parse_responses
from annotation.row_files import MAX_BYTES, Problems, text_problem
from annotation.services.checking import context_of
from annotation.services.generation.recipes import digest
from annotation.services.importing import ImportRefused

IMPORTED = "imported"

type Pair = tuple[ResponseRecord, Dialogue]


@dataclass(frozen=True)
class ResponsesImported:
    """What an import did, or would do: numbers of responses. `flagged` counts those that a check holds back."""

    agent: Agent
    created: int
    replaced: int
    unchanged: int
    flagged: int
    flags: Counter[str]
    is_dry_run: bool = False

    def __str__(self) -> str:
        counts = f"{self.created} new, {self.replaced} replaced, {self.unchanged} as before"
        found = ", ".join(f"{flag} {count}" for flag, count in self.flags.most_common())
        checks = f" Checks found: {found}; {self.flagged} are held back until you decide." if found else ""
        if self.is_dry_run:
            return f"Nothing was stored. The file is sound; importing it as “{self.agent}” would give {counts}.{checks}"
        return f"Imported as the responses of “{self.agent}”: {counts}.{checks}"


def import_responses(
    agent_name: str,
    *,
    file: IO[bytes],
    filename: str,
    collection: str = "",
    note: str = "",
    update: bool = False,
    dry_run: bool = False,
) -> ResponsesImported:
    """Import a JSONL or CSV file as the responses of the agent of that name, which is made if there is none.

    `collection` names where dialogues are looked up that the file gives no collection for. A response that differs from
    the stored one is refused, or with `update` takes its place; the old one stays, and launched studies keep it.
    Raises: ResponseFileErrors for a bad file, ImportRefused for a collision; both leave the database as it was.
    """
    content = file.read(MAX_BYTES + 1)
    records = parse_responses(io.BytesIO(content), filename=filename)
    origin = {"source": IMPORTED, "file": storable(filename)[:300], "file_sha256": hashlib.sha256(content).hexdigest()}
    with transaction.atomic():
        agent = _agent(agent_name, note)
        dialogues = _dialogues(records, collection)
        result = _store(agent, list(zip(records, dialogues, strict=True)), origin=origin, update=update)
        if dry_run:
            transaction.set_rollback(True)
            return ResponsesImported(agent, *result, is_dry_run=True)
    return ResponsesImported(agent, *result)


def _agent(name: str, note: str) -> Agent:
    """Return the agent, locked so that one import at a time goes on."""
    name, note = name.strip(), note.strip()
    for what, text, limit in (("name", name, 200), ("note", note, 300)):
        if text_problem(text) or len(text) > limit or (what == "name" and not text):
            raise ImportRefused(f"The agent's {what} must be plain text of up to {limit} characters.")
    agent, _ = Agent.objects.select_for_update().get_or_create(name=name, defaults={"note": note})
    if agent.responder_id is not None:
        raise ImportRefused(
            f"“{agent}” writes its own responses with {agent.responder}. Import under another name: the responses of "
            "an agent are all imported or all written here."
        )
    if note and agent.note != note:
        raise ImportRefused(f"“{agent}” has the note “{agent.note}”. Change it in the admin, or leave the note out.")
    return agent


def _dialogues(records: Sequence[ResponseRecord], collection: str) -> list[Dialogue]:
    """Return the dialogue of each record. Raises ResponseFileErrors, naming every line without exactly one."""
    problems = Problems(ResponseFileErrors)
    known = set(Collection.objects.values_list("name", flat=True))
    if collection and collection not in known:
        problems.stop(f"There is no collection “{collection}”.{_near(collection, known)}")
    found: dict[str, list[Dialogue]] = defaultdict(list)
    wanted = {record.dialogue_id for record in records}
    for dialogue in Dialogue.objects.filter(external_id__in=wanted).select_related("collection"):
        found[dialogue.external_id].append(dialogue)
    dialogues = []
    lines: dict[int, int] = {}
    for record in records:
        there = found[record.dialogue_id]
        named = record.collection or collection
        fitting = [dialogue for dialogue in there if not named or dialogue.collection.name == named]
        if message := _why_not_one(record, named, there, fitting, known):
            problems.add(record.line, "dialogue_id", message)
        elif (earlier := lines.setdefault(fitting[0].pk, record.line)) != record.line:
            problems.add(record.line, "dialogue_id", f"This dialogue has a response on line {earlier} already.")
        dialogues += fitting[:1]
    problems.raise_if_any()
    return dialogues


def _why_not_one(
    record: ResponseRecord, named: str, there: list[Dialogue], fitting: list[Dialogue], known: set[str]
) -> str:
    if len(fitting) == 1:
        return ""
    if fitting:
        names = ", ".join(sorted(f"“{dialogue.collection.name}”" for dialogue in fitting)[:5])
        return f"“{record.dialogue_id}” is in several collections: {names}. Say which with the field collection."
    if named not in known and named:
        return f"There is no collection “{named}”.{_near(named, known)}"
    where = f"in the collection “{named}”" if named else "in any collection"
    elsewhere = f" It is in “{there[0].collection.name}”." if there else ""
    return f"There is no dialogue “{record.dialogue_id}” {where}.{elsewhere} Import the dialogues first."


def _near(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f" Did you mean “{near[0]}”?" if near else ""


def _store(
    agent: Agent, pairs: list[Pair], *, origin: dict[str, str], update: bool
) -> tuple[int, int, int, int, Counter[str]]:
    stored = {each.dialogue_id: each for each in _current(agent, pairs)}
    new: list[Pair] = []
    changed: list[Pair] = []
    unchanged = 0
    for pair in pairs:
        there = stored.get(pair[1].pk)
        if there is not None and _is_same(there, pair[0]):
            unchanged += 1
        else:
            (new if there is None else changed).append(pair)
    if changed and not update:
        shown = ", ".join(f"{record.dialogue_id} (line {record.line})" for record, _ in changed[:5])
        raise ImportRefused(
            f"“{agent}” has other responses to {len(changed)} of these dialogues: {shown}. Nothing was imported. "
            "Import under another name, or ask for an update: the old responses stay, and launched studies keep them."
        )
    Response.objects.filter(pk__in=[stored[dialogue.pk].pk for _, dialogue in changed]).update(is_current=False)
    made = _made(agent, [*new, *changed], origin)
    Response.objects.bulk_create(made, batch_size=500)
    flags = Counter(flag for response in made for flag in response.flags)
    return len(new), len(changed), unchanged, sum(not usable(response.flags) for response in made), flags


def _current(agent: Agent, pairs: list[Pair]) -> list[Response]:
    dialogues = [dialogue.pk for _, dialogue in pairs]
    found = Response.objects.filter(agent=agent, dialogue__in=dialogues, sample=0, is_current=True)
    return list(found.select_related("skill_of_mind"))


def _is_same(there: Response, record: ResponseRecord) -> bool:
    thought = there.skill_of_mind
    told = (thought.explanation, thought.skill) if thought else ("", "")
    is_cut_off = there.provenance.get("finish_reason") == "length"
    return (there.raw_text, told, is_cut_off) == (
        storable(record.response),
        (record.explanation, record.skill),
        record.was_cut_off,
    )


def _made(agent: Agent, pairs: list[Pair], origin: dict[str, str]) -> list[Response]:
    thoughts = _thoughts(agent, pairs, origin)
    settings_hash = digest({IMPORTED: origin["file_sha256"]})
    return [
        _response(agent, record, dialogue, settings_hash, origin, thoughts.get(dialogue.pk))
        for record, dialogue in pairs
    ]


def _response(
    agent: Agent,
    record: ResponseRecord,
    dialogue: Dialogue,
    settings_hash: str,
    origin: dict[str, str],
    thought: SkillOfMind | None,
) -> Response:
    checked = _check(record, dialogue)
    reason = "length" if record.was_cut_off else "stop"
    return Response(
        agent=agent,
        dialogue=dialogue,
        text=checked.text,
        raw_text=storable(record.response),
        flags=[flag.value for flag in checked.flags],
        settings_hash=settings_hash,
        skill_of_mind=thought,
        provenance={**origin, "line": record.line, "finish_reason": reason},
    )


def _check(record: ResponseRecord, dialogue: Dialogue) -> Checked:
    context = context_of(dialogue, explanation=record.explanation)
    return check(record.response, context=context, cut_off=record.was_cut_off)


def _thoughts(agent: Agent, pairs: list[Pair], origin: dict[str, str]) -> dict[int, SkillOfMind]:
    """Store the guidance that came with responses, as that of this agent alone."""
    settings_hash = digest({IMPORTED: agent.name})
    told = [(record, dialogue) for record, dialogue in pairs if record.explanation or record.skill]
    SkillOfMind.objects.filter(
        settings_hash=settings_hash, dialogue__in=[dialogue.pk for _, dialogue in told], is_current=True
    ).update(is_current=False)
    made = [
        SkillOfMind(
            dialogue=dialogue,
            settings_hash=settings_hash,
            explanation=record.explanation,
            skill=record.skill,
            outcome=IMPORTED,
            provenance={**origin, "line": record.line},
        )
        for record, dialogue in told
    ]
    return {thought.dialogue_id: thought for thought in SkillOfMind.objects.bulk_create(made, batch_size=500)}
