"""What a reader leaves out of a report beyond the study's own ledger: said in words, in JSON and in addresses. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from annotation.reporting.words import listed, percent

type Json = Mapping[str, Any]


class Row(Protocol):
    """What filters read of a judgement."""

    @property
    def dialogue_kind(self) -> str: ...

    @property
    def submitted_at(self) -> str: ...


@dataclass(frozen=True)
class QualityLine:
    """Shares from 0 to 1 that an annotator's figures must keep to; None asks nothing.

    agreement: least agreement with the others · gold: least lower limit of right answers to known questions ·
    modal: largest share of one answer · hurried: largest share of comparisons read faster than people read.
    Whoever lacks a figure is not below the line.
    """

    agreement: float | None = None
    gold: float | None = None
    modal: float | None = None
    hurried: float | None = None

    def is_below(self, person: Json) -> bool:
        """person: a row of the table of annotators, as JSON."""
        own, gold = person["agreement"] or {}, person["gold"] or {}
        return (
            _less(own.get("estimate"), self.agreement)
            or _less(gold.get("low"), self.gold)
            or _less(self.modal, person["modal_share"])
            or _less(self.hurried, person["below_reading_share"])
        )

    def below(self, people: Sequence[Json]) -> tuple[str, ...]:
        """The annotators below the line, by name."""
        return tuple(person["annotator"] for person in people if self.is_below(person))

    @property
    def words(self) -> tuple[str, ...]:
        said = {
            "agreement with others at least": self.agreement,
            "lower limit of right known answers at least": self.gold,
            "the same answer at most": self.modal,
            "faster than reading at most": self.hurried,
        }
        return tuple(f"{what} {percent(share)}" for what, share in said.items() if share is not None)


def _less(value: float | None, bound: float | None) -> bool:
    return value is not None and bound is not None and value < bound


@dataclass(frozen=True)
class Filters:
    """What a report is made of. Days are ISO dates in UTC, both ends included.

    with_excluded: judgements of annotators whom the ledger leaves out are taken in again.
    """

    kinds: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    line: QualityLine = field(default_factory=QualityLine)
    with_excluded: bool = False

    @classmethod
    def from_json(cls, written: Json) -> "Filters":
        """The filters of a message."""
        return cls(**{**written, "kinds": tuple(written["kinds"]), "line": QualityLine(**written["line"])})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    @property
    def words(self) -> tuple[str, ...]:
        """The filters as the report writes them down."""
        said = {
            "with annotators whom the ledger excludes": "too" if self.with_excluded else "",
            "only annotators with": listed(self.line.words),
            "only dialogues of the kinds": listed([kind or "(none)" for kind in self.kinds]),
            "submitted from": self.since,
            "submitted until": self.until,
        }
        return tuple(f"{what} {which}" for what, which in said.items() if which)

    def keeps(self, row: Row) -> bool:
        """Whether a judgement is within the kinds and days; annotators below the line go when all figures are known."""
        day = row.submitted_at[:10]
        is_kind = not self.kinds or row.dialogue_kind in self.kinds
        return is_kind and (not self.since or day >= self.since) and (not self.until or day <= self.until)


NO_FILTERS = Filters()
EVERYONE = Filters(with_excluded=True)
