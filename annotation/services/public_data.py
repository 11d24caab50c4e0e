"""Bring a public data set in: read in its own schema, cut as published, stored whole or not at all."""

from dataclasses import dataclass

from django.db import transaction

from annotation.public_data.cutting import Choices, cut
from annotation.public_data.schemas import SETS, PublicSet, dialogues_of
from annotation.public_data.sources import DataRefused, read_rows
from annotation.services.importing import ImportResult, import_dialogues, named_collection

SPLIT = "test"


@dataclass(frozen=True)
class SetImported:
    """What an import of a set did, and what it passed over, in sentences."""

    result: ImportResult
    skipped: tuple[str, ...]


def import_public_set(
    name: str,
    *,
    source: str = "",
    collection: str = "",
    split: str = SPLIT,
    revision: str = "",
    choices: Choices | None = None,
    dry_run: bool = False,
) -> SetImported:
    """Import a set from a file, a folder or the hub; `source` is the set's own id on the hub if left out.

    Raises: DataRefused and ImportRefused in plain words; both leave the database as it was.
    """
    public = find_set(name)
    if not source and not public.hub:
        raise DataRefused(f"{public.title} is on no hub: give its files. They are published at {public.source}.")
    rows = read_rows(source or public.hub, split=split, revision=revision)
    found = cut(dialogues_of(public, rows), choices or Choices())
    if not found.records:
        raise DataRefused(" ".join([f"There is no dialogue to take in {source or public.hub}.", *found.sentences]))
    with transaction.atomic():
        into = named_collection(
            collection or collection_name(public),
            source="; ".join(filter(None, (public.source, public.hub))),
            licence=public.licence,
        )
        result = import_dialogues(into, records=found.records)
        if dry_run:
            transaction.set_rollback(True)
            result = ImportResult(into, result.created, result.updated, result.unchanged, is_dry_run=True)
    return SetImported(result, tuple(found.sentences))


def find_set(name: str) -> PublicSet:
    """Return a set by its name here. Raises DataRefused with the names that there are."""
    if name not in SETS:
        raise DataRefused(f"“{name}” is none of the sets: {', '.join(SETS)}.")
    return SETS[name]


def collection_name(public: PublicSet) -> str:
    """Return the name of the collection that a set goes into unless another one is given."""
    return f"{public.title} (test)"
