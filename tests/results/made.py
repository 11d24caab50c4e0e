"""Ratings for tests, made in memory: rows in long format and random ones with a known seed."""

import csv
from pathlib import Path

import numpy as np
from hypothesis import settings

from annotation.results.data import Judgements, Sample
from annotation.results.sample import prepare
from annotation.results.table import from_columns

# Figures are slow on a busy machine, and forty examples of a property are enough to find what is wrong with it.
examples = settings(deadline=None, max_examples=40)

HEADER = ["item_id", "rater_id", "dimension", "label", "system_a", "system_b"]


def row(item="i1", rater="ann", label="B", *, dimension="naturalness", a="plain", b="guided", **more) -> dict[str, str]:
    return {
        "item_id": item,
        "rater_id": rater,
        "dimension": dimension,
        "label": str(label),
        "system_a": a,
        "system_b": b,
        **{name: str(value) for name, value in more.items()},
    }


def sample(rows: list[dict[str, str]], *, strata=(), **options) -> Sample:
    names = list(dict.fromkeys(name for one in rows for name in one))
    columns = {name: [one.get(name, "") for one in rows] for name in names}
    return prepare(from_columns(columns, strata=strata), **options)


def judgements(rows: list[dict[str, str]]) -> Judgements:
    return sample(rows).main


def by_table(table: dict[str, str], **more) -> Judgements:
    """Judgements from {item: labels of annotators 1, 2, ...}; A, B, t for a tie, x for both bad, . for none."""
    words = {"A": "A", "B": "B", "t": "tie", "x": "both_bad"}
    return judgements(
        [
            row(item, f"ann{place}", words[letter], **more)
            for item, letters in table.items()
            for place, letter in enumerate(letters)
            if letter != "."
        ]
    )


def random_rows(*, items=40, annotators=6, k=3, seed=0, labels=("A", "tie", "B"), **more) -> list[dict[str, str]]:
    rng = np.random.default_rng(seed)
    return [
        row(f"i{item}", f"r{person}", labels[rng.integers(len(labels))], **more)
        for item in range(items)
        for person in rng.permutation(annotators)[:k]
    ]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(dict.fromkeys(name for one in rows for name in one)))
        writer.writeheader()
        writer.writerows(rows)
    return path
