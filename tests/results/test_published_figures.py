"""Published figures come out to the digit they were printed with. Their data are not ours to ship."""

import csv
import json
import math
import os
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import krippendorff
import numpy as np
import pytest

from annotation.results import agreement, power, resampling
from annotation.results.resampling import Resampling
from annotation.results.sample import prepare
from annotation.results.settings import Settings
from annotation.results.summary import analyse
from annotation.results.table import read_csv

FOLDER = os.environ.get("PUBLISHED_RATINGS", "")
pytestmark = pytest.mark.skipif(
    not FOLDER,
    reason="needs the published ratings: set PUBLISHED_RATINGS to the folder with pandalm and the others",
)


def published(name):
    return json.loads((Path(FOLDER) / name / "published.json").read_text())


def rows(name, file="ratings.csv"):
    with (Path(FOLDER) / name / file).open(newline="") as stream:
        return list(csv.DictReader(stream))


def as_printed(value, like):
    """The published figure, if ours rounds or is cut to it; else ours with the digits of the published one."""
    digits = len(str(like).partition(".")[2])
    cut = math.trunc(value * 10**digits) / 10**digits
    return like if like in (round(value, digits), cut) else round(value, digits)


def canonical_names():
    return [one["example"] for one in published("canonical_agreement")["examples"]] if FOLDER else ["none"]


def table_of(example):
    """Items x annotators codes (-1 where there is none), and counts of labels by item."""
    found = [one for one in rows("canonical_agreement") if one["example"] == example]
    items = list(dict.fromkeys(one["item_id"] for one in found))
    raters = list(dict.fromkeys(one["rater_id"] for one in found))
    labels = sorted({one["label"] for one in found}, key=lambda label: (len(label), label))
    codes = np.full((len(items), len(raters)), -1)
    for one in found:
        codes[items.index(one["item_id"]), raters.index(one["rater_id"])] = labels.index(one["label"])
    counts = np.stack([(codes == code).sum(axis=1) for code in range(len(labels))], axis=1).astype(float)
    return codes, counts, [float(label) if label.lstrip("-").isdigit() else 0 for label in labels]


def pooled_expected(counts):
    """Chance agreement as Fleiss (1971) prints it, from shares rounded to three digits."""
    share = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0).round(3)
    return float(share @ share)


def mean_pairwise_cohen(codes):
    kappas = []
    for first, second in combinations(codes.T, 2):
        both = (first >= 0) & (second >= 0)
        kappas.append(agreement.cohen_kappa(first[both], second[both]))
    return float(np.mean(kappas))


def by_package(counts, values, level):
    return krippendorff.alpha(value_counts=counts, value_domain=values, level_of_measurement=level)


FIGURES = {
    "alpha_nominal": lambda codes, counts, values: agreement.alpha_point(multi(counts), "nominal"),
    "alpha_ordinal": lambda codes, counts, values: agreement.alpha_point(multi(counts), "ordinal"),
    "alpha_interval": lambda codes, counts, values: by_package(counts, values, "interval"),
    "alpha_ratio": lambda codes, counts, values: by_package(counts, values, "ratio"),
    "gwet_ac1": lambda codes, counts, values: agreement.gwet_ac1(counts),
    "fleiss_kappa": lambda codes, counts, values: agreement.fleiss_kappa(counts),
    "scott_pi": lambda codes, counts, values: agreement.fleiss_kappa(counts),
    "percent_agreement": lambda codes, counts, values: agreement.percent_agreement(counts),
    "percent_agreement_x100": lambda codes, counts, values: 100 * agreement.percent_agreement(counts),
    "expected_agreement": lambda codes, counts, values: pooled_expected(counts),
    "cohen_kappa": lambda codes, counts, values: agreement.cohen_kappa(*codes.T),
    "mean_pairwise_cohen": lambda codes, counts, values: mean_pairwise_cohen(codes),
}


def multi(counts):
    return counts[counts.sum(axis=1) >= 2]


@pytest.mark.parametrize("example", canonical_names())
def test_canonical_example(example):
    expected = next(one for one in published("canonical_agreement")["examples"] if one["example"] == example)
    table = table_of(example)
    known = {name: value for name, value in expected.items() if name in FIGURES and value is not None}
    assert known
    assert {name: as_printed(FIGURES[name](*table), value) for name, value in known.items()} == known


def test_interval_of_krippendorffs_example_is_near_the_published_unit_bootstrap():
    expected = next(one for one in published("canonical_agreement")["examples"] if "unit_bootstrap_ci" in one)
    figure = agreement.alpha(table_of(expected["example"])[1], "nominal")
    assert figure.low < expected["alpha_nominal"] < figure.high
    assert figure.low == pytest.approx(expected["unit_bootstrap_ci"][0], abs=0.1)
    draws = resampling.draw_alphas(*patterns_of(table_of(expected["example"])[1]), Resampling(resamples=20_000))
    assert np.nanstd(draws["nominal"]) == pytest.approx(expected["unit_bootstrap_se"], abs=0.01)


def patterns_of(counts):
    patterns = resampling.Patterns.of(multi(counts))
    return patterns, {"nominal": multi(counts)[patterns.first]}


def pandalm():
    return prepare(read_csv(Path(FOLDER) / "pandalm" / "ratings.csv"))


def test_pandalm_kappas():
    by_rater = defaultdict(dict)
    for one in rows("pandalm"):
        by_rater[one["rater_id"]][one["item_id"]] = ("A", "tie", "B").index(one["label"])
    for pair, expected in published("pandalm")["cohen_kappa"].items():
        first, second = (np.array(list(by_rater[name].values())) for name in pair.split("|"))
        assert as_printed(agreement.cohen_kappa(first, second), expected) == expected


def test_pandalm_majority_labels():
    votes = defaultdict(Counter)
    for one in rows("pandalm"):
        votes[one["item_id"]][one["label"]] += 1
    report = analyse(pandalm(), Settings(resamples=100))
    expected = published("pandalm")["majority_label_counts"]
    assert Counter(counts.most_common(1)[0][0] for counts in votes.values()) == expected
    majorities = [matchup.majority for _, matchup in report.matchups()]
    assert sum(one.ties for one in majorities) == expected["tie"]
    assert sum(one.a_wins + one.b_wins for one in majorities) == expected["A"] + expected["B"]
    assert sum(one.no_majority for one in majorities) == 0


def test_pandalm_win_lose_tie_table_but_for_its_misprint():
    report = analyse(pandalm(), Settings(resamples=100))
    found = {(matchup.system_a, matchup.system_b): matchup.majority for _, matchup in report.matchups()}
    for cell in published("pandalm")["win_lose_tie_by_majority"]:
        pair = cell["row"], cell["col"]
        ours = found.get(pair)
        table = (ours.a_wins, ours.b_wins, ours.ties) if ours else None
        if table is None:
            ours = found[pair[::-1]]
            table = (ours.b_wins, ours.a_wins, ours.ties)
        expected = (cell["win"], cell["lose"], cell["tie"])
        assert table == (expected if cell["reproduces"] else (expected[1], expected[0], expected[2]))


def test_pandalm_alpha():
    pooled = analyse(pandalm(), Settings(resamples=100)).criteria[0].agreement
    expected = published("pandalm")["also_computed_not_published"]
    assert pooled.pooled_over_matchups
    assert round(pooled.alpha_nominal.estimate, 4) == expected["krippendorff_alpha_nominal"]
    assert round(pooled.alpha_ordinal.estimate, 4) == expected["krippendorff_alpha_ordinal"]


def test_power_cells_of_card_2020_with_ten_annotators():
    parameters = published("card2020_power")["parameters"]
    cells = [cell for cell in rows("card2020_power", "grid.csv") if cell["raters"] == "10"]
    assert len(cells) == 24
    for cell in cells:
        spread = parameters[cell["setting"]]
        # Both outputs of every item are rated, so the error of a difference's half has half the variance.
        plan = power.Plan(
            n_items=int(cell["items"]),
            k=10,
            n_annotators=10,
            spread=power.Spread(spread["item_model_sd"], spread["worker_model_sd"], spread["sigma"] / 2**0.5),
        )
        found = power.power(plan, float(cell["beta"]), reference="normal")
        assert found == pytest.approx(float(cell["power"]), abs=0.07)
