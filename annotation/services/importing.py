"""Bring dialogues into a collection: all of a file or nothing of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import reduce
from operator import or_
from pathlib import Path
from typing import IO

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from annotation.dialogue_files import DialogueRecord, Turn, parse_dialogues
from annotation.errors import DuologueError
from annotation.models import Collection, Comparison, Dialogue, GenerationUnit, Response, SkillOfMind
from annotation.row_files import text_problem
from annotation.states import StudyState

BUNDLED_FILE = Path(__file__).resolve().parent.parent / "content" / "dialogues.jsonl"
BUNDLED_NAME = "Duologue dialogues"
BUNDLED_SOURCE = "Written by the Duologue authors for this project (annotation/content)"
BUNDLED_LICENCE = "CC BY 4.0"
NAMES_SHOWN = 5


class ImportRefused(DuologueError):
    """The file is sound, but it cannot go into this collection."""


@dataclass(frozen=True)
class ImportResult:
    """What an import did, or would do: numbers of dialogues."""

    collection: Collection
    created: int
    updated: int
    unchanged: int
    is_dry_run: bool = False

    def __str__(self) -> str:
        counts = f"{self.created} new, {self.updated} changed, {self.unchanged} as before"
        if self.is_dry_run:
            return f"Nothing was stored. The file is sound; importing it into “{self.collection}” would give {counts}."
        return f"Imported into “{self.collection}”: {counts}."


def import_file(
    collection_name: str,
    *,
    file: IO[bytes],
    filename: str,
    source: str = "",
    licence: str = "",
    update: bool = False,
    dry_run: bool = False,
) -> ImportResult:
    """Import a JSONL or CSV file into the collection of that name, which is made if there is none.

    Raises: DialogueFileErrors for a bad file, ImportRefused for a collision; both leave the database as it was.
    """
    records = parse_dialogues(file, filename=filename)
    with transaction.atomic():
        collection = named_collection(collection_name, source=source, licence=licence)
        result = import_dialogues(collection, records=records, update=update)
        if dry_run:
            transaction.set_rollback(True)
            return ImportResult(collection, result.created, result.updated, result.unchanged, is_dry_run=True)
    return result


def named_collection(name: str, *, source: str = "", licence: str = "") -> Collection:
    """Return the collection, made or completed with a source and licence that it lacks."""
    name = name.strip()
    for field, text, limit in (("name", name, 200), ("source", source, 500), ("licence", licence, 200)):
        if text_problem(text) or len(text) > limit or (field == "name" and not text):
            raise ImportRefused(f"The collection's {field} must be plain text of up to {limit} characters.")
    collection, is_new = Collection.objects.get_or_create(name=name, defaults={"source": source, "licence": licence})
    if not is_new:
        _complete(collection, source=source, licence=licence)
    return collection


def _complete(collection: Collection, **given: str) -> None:
    """Fill what is empty; refuse to overwrite where dialogues come from or under which terms."""
    for field, text in given.items():
        stored = getattr(collection, field)
        if text and stored and text != stored:
            raise ImportRefused(
                f"The collection “{collection}” has the {field} “{stored}”. "
                "Import into another collection, or change it in the admin first."
            )
        setattr(collection, field, text or stored)
    collection.save(update_fields=list(given))


@transaction.atomic
def import_dialogues(
    collection: Collection, *, records: Sequence[DialogueRecord], update: bool = False
) -> ImportResult:
    """Store the records. Those that are there already, word for word, are left alone.

    A record that differs from the stored dialogue of its id is refused, or with `update` replaces it where no launched
    study shows it and nothing was generated for it.
    """
    Collection.objects.select_for_update().get(pk=collection.pk)  # One import at a time into a collection.
    stored = {d.external_id: d for d in collection.dialogues.filter(external_id__in=[r.id for r in records])}
    new = [record for record in records if record.id not in stored]
    changed = [record for record in records if record.id in stored and record != as_record(stored[record.id])]
    if changed:
        _refuse_unless_free(collection, changed, update=update)
    Dialogue.objects.bulk_create((_dialogue(collection, record) for record in new), batch_size=500)
    replacements = [_dialogue(collection, record, pk=stored[record.id].pk) for record in changed]
    Dialogue.objects.bulk_update(replacements, fields=COPIED_FIELDS, batch_size=500)
    return ImportResult(collection, len(new), len(changed), len(records) - len(new) - len(changed))


@transaction.atomic
def import_bundled() -> Collection:
    """Make the bundled collection, or add what it lacks. Dialogues and words that are there stay as they are."""
    collection, _ = Collection.objects.get_or_create(
        name=BUNDLED_NAME, defaults={"source": BUNDLED_SOURCE, "licence": BUNDLED_LICENCE}
    )
    present = set(collection.dialogues.values_list("external_id", flat=True))
    with BUNDLED_FILE.open("rb") as file:
        records = parse_dialogues(file, filename=BUNDLED_FILE.name)
    import_dialogues(collection, records=[record for record in records if record.id not in present])
    return collection


def as_record(dialogue: Dialogue) -> DialogueRecord:
    """Return the dialogue as an import file would give it."""
    return DialogueRecord(
        id=dialogue.external_id,
        turns=tuple(Turn(turn["speaker"], turn["text"]) for turn in dialogue.turns),
        next_speaker=dialogue.next_speaker,
        kind=dialogue.kind,
        social_context=dialogue.social_context,
        reference=dialogue.reference,
        reference_skills=tuple(dialogue.reference_skills),
        language=dialogue.language,
        tags=tuple(dialogue.tags),
        content_warning=dialogue.content_warning,
    )


COPIED_FIELDS = tuple(f.name for f in fields(DialogueRecord) if f.name not in {"id", "line"})


def _dialogue(collection: Collection, record: DialogueRecord, *, pk: int | None = None) -> Dialogue:
    columns = asdict(record)
    external_id = columns.pop("id")
    del columns["line"]
    return Dialogue(pk=pk, collection=collection, external_id=external_id, **columns)


def _refuse_unless_free(collection: Collection, records: Sequence[DialogueRecord], *, update: bool) -> None:
    """Raise unless every one of these stored dialogues may get another text."""
    if not update:
        raise ImportRefused(
            f"“{collection}” holds other texts under the same ids: {_places(records)}. Nothing was imported. "
            "Give the new ones ids of their own, or ask for an update."
        )
    ids = [record.id for record in records]
    used = set(_in_use(collection.dialogues.filter(external_id__in=ids)).values_list("external_id", flat=True))
    if used:
        raise ImportRefused(
            "These dialogues are shown by a launched study or have responses already, so their text stays: "
            f"{_places([record for record in records if record.id in used])}. Nothing was imported. "
            "Import the new texts under ids of their own."
        )


def _in_use(dialogues: QuerySet[Dialogue]) -> QuerySet[Dialogue]:
    """Those that annotators of a launched study see, or that something was or is being generated for."""
    shown = Comparison.objects.filter(dialogue=OuterRef("pk")).exclude(study__state=StudyState.DRAFT)
    generated = [model.objects.filter(dialogue=OuterRef("pk")) for model in (Response, SkillOfMind, GenerationUnit)]
    return dialogues.filter(reduce(or_, (Q(Exists(rows)) for rows in (shown, *generated))))


def _places(records: Sequence[DialogueRecord]) -> str:
    shown = ", ".join(f"{record.id} (line {record.line})" for record in records[:NAMES_SHOWN])
    return shown if len(records) <= NAMES_SHOWN else f"{shown} and {len(records) - NAMES_SHOWN} more"
