"""From the database to the data of an analysis: the one module of this library that knows Django.

It reads the very rows of the export, so the page and an analysis of the exported file cannot differ.
"""

from collections.abc import Callable

from annotation.models import Study
from annotation.results.table import OPTIONAL, REQUIRED, SECONDS, Table, from_columns
from annotation.services.exports.judgements import JudgementRow, judgement_rows

# By what a win score may differ: columns of the export that describe the dialogue or its guidance.
STRATA = ("dialogue_kind", "skill", "skill_category", "collection", "language")

type Keep = Callable[[JudgementRow], bool]


def load_table(study: Study, *, keep: Keep = lambda row: True) -> Table:
    """Read the judgements of a study, those that do not count included. Raises EmptyTable when there are none."""
    columns: dict[str, list[str]] = {name: [] for name in (*REQUIRED, *OPTIONAL, *SECONDS, *STRATA)}
    places = [(values, JudgementRow._fields.index(name)) for name, values in columns.items()]
    for row in judgement_rows(study):
        if keep(row):
            for values, place in places:
                values.append(str(row[place]))
    return from_columns(columns, strata=STRATA)
