"""From the database to the data of an analysis: the one module of this library that knows Django.

It reads the very rows of the export, so the page and an analysis of the exported file cannot differ.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from annotation.models import Study
from annotation.results.data import Coded
from annotation.results.table import OPTIONAL, REQUIRED, SECONDS, Table, from_columns
from annotation.services.exports.judgements import JudgementRow, judgement_rows

# By what a win score may differ: columns of the export that describe the dialogue or its guidance.
STRATA = ("dialogue_kind", "skill", "skill_category", "collection", "language")

type Keep = Callable[[JudgementRow], bool]


@dataclass(frozen=True)
class Loaded:
    """The judgements of a study as its ledger has it, and as if the ledger left out no annotator."""

    table: Table
    of_everyone: Table


def load_table(study: Study, *, keep: Keep = lambda row: True) -> Table:
    """Read the judgements of a study, those that do not count included. Raises EmptyTable when there are none."""
    return load(study, keep=keep).table


def load(study: Study, *, keep: Keep = lambda row: True) -> Loaded:
    """Read the judgements once, for both views. Raises EmptyTable when there are none."""
    columns: dict[str, list[str]] = {name: [] for name in (*REQUIRED, *OPTIONAL, *SECONDS, *STRATA)}
    places = [(values, JudgementRow._fields.index(name)) for name, values in columns.items()]
    for row in judgement_rows(study):
        if keep(row):
            for values, place in places:
                values.append(str(row[place]))
    table = from_columns(columns, strata=STRATA)
    reasons = [f"annotator: {reason}" for reason in _ledger(study)]
    reason = table.columns["excluded_reason"]
    restored = Coded(reason.codes, tuple(_without(name, reasons) for name in reason.names))
    return Loaded(table, replace(table, columns={**table.columns, "excluded_reason": restored}))


def _ledger(study: Study) -> list[str]:
    """The reasons for which annotators are left out, longest first."""
    found = study.annotators.exclude(excluded_at=None).values_list("excluded_reason", flat=True).distinct()
    return sorted(found, key=len, reverse=True)


def _without(reason: str, annotators: list[str]) -> str:
    """The reason of a row without that of its annotator, which is the last of them."""
    for said in annotators:
        if reason.endswith(said):
            return reason.removesuffix(said).removesuffix("; ")
    return reason
