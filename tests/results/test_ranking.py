"""Rankings: by hand, by properties, and against choix, evalica and statsmodels."""

import choix
import evalica
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from annotation.results.ranking import rank
from tests.results.made import examples, judgements, row

SYSTEMS = ("p", "q", "r", "s")
STRENGTH = {"p": 0.0, "q": 0.4, "r": 0.9, "s": 1.3}


def matches(seed=0, *, items=60, ties=0.25, sides=True, k=3, left=0.0):
    """Rows about all pairs of four systems, the stronger more often preferred."""
    rng = np.random.default_rng(seed)
    rows = []
    for item in range(items):
        a, b = rng.choice(SYSTEMS, 2, replace=False)
        shown_left = rng.choice([a, b])
        for person in rng.permutation(8)[:k]:
            pull = left * (1 if shown_left == b else -1)
            win = 1 / (1 + np.exp(STRENGTH[a] - STRENGTH[b] - pull))
            label = "tie" if rng.random() < ties else ("B" if rng.random() < win else "A")
            side = {"shown_left": shown_left} if sides else {}
            rows.append(row(f"i{item}", f"r{person}", label, a=a, b=b, **side))
    return rows


def scores(standings):
    return {standing.system: standing.score for standing in standings}


def test_two_systems_have_no_ranking():
    assert rank(judgements([row(), row("i2")]), level=0.95) is None


def test_bradley_terry_by_hand():
    """p beats q 2 to 1, q beats r 2 to 1, r and p tie 1 to 1 each way round: solved by symmetric strengths."""
    rows = [row(f"i{n}", f"r{n % 2}", label, a="p", b="q") for n, label in enumerate("AAB")]
    rows += [row(f"j{n}", f"r{n % 2}", label, a="q", b="r") for n, label in enumerate("AAB")]
    rows += [row(f"k{n}", f"r{n % 2}", label, a="r", b="p") for n, label in enumerate("AAB")]
    assert list(scores(rank(judgements(rows), level=0.95).bradley_terry).values()) == pytest.approx([1 / 3] * 3)


def test_bradley_terry_is_evalicas():
    data = judgements(matches(seed=1))
    a, b = (np.array([data.pairs[pair][side] for pair in data.pair]) for side in (0, 1))
    winners = [
        {-1: evalica.Winner.X, 0: evalica.Winner.Draw, 1: evalica.Winner.Y}[np.sign(grade)] for grade in data.grade
    ]
    theirs = evalica.bradley_terry(a.tolist(), b.tolist(), winners, tolerance=1e-12, limit=10_000).scores
    ours = scores(rank(data, level=0.95).bradley_terry)
    theirs = theirs / theirs.sum()
    assert {name: pytest.approx(score, abs=1e-6) for name, score in theirs.items()} == ours


def test_bradley_terry_without_ties_is_choixs():
    data = judgements(matches(seed=2, ties=0))
    pairs = [[SYSTEMS.index(name) for name in data.pairs[pair]] for pair in data.pair]
    wins = [tuple(pair[::-1] if grade > 0 else pair) for pair, grade in zip(pairs, data.grade, strict=True)]
    strength = np.exp(choix.opt_pairwise(4, wins, alpha=0, tol=1e-12))
    ours = scores(rank(data, level=0.95).bradley_terry)
    assert ours == {name: pytest.approx(strength[code] / strength.sum(), abs=1e-6) for code, name in enumerate(SYSTEMS)}


def test_davidson_with_sides_is_a_poisson_model_of_the_table():
    """The same likelihood as a log-linear table with one free level for each pair and side (statsmodels GLM)."""
    data = judgements(matches(seed=3, items=150, left=0.5))
    ranking = rank(data, level=0.95)
    frame = pd.DataFrame({"pair": data.pair, "left": data.b_left, "outcome": np.sign(data.grade) + 1})
    cells = frame.value_counts().reindex(
        pd.MultiIndex.from_product([range(len(data.pairs)), (0, 1), (0, 1, 2)]), fill_value=0
    )
    design = []
    for pair, left, outcome in cells.index:
        one = {f"level{pair}{left}": 1.0, "tie": float(outcome == 1), "side": 0.0}
        one |= dict.fromkeys(SYSTEMS[1:], 0.0)
        share = {0: (1, 0), 1: (0.5, 0.5), 2: (0, 1)}[outcome]
        for name, part in zip(data.pairs[pair], share, strict=True):
            if name in one:
                one[name] += part
        one["side"] = (0.5 - left) if outcome == 0 else (left - 0.5) if outcome == 2 else 0.0
        design.append(one)
    table = pd.DataFrame(design).fillna(0.0)
    fitted = sm.GLM(cells.to_numpy(), table, family=sm.families.Poisson()).fit(tol=1e-12).params
    strength = np.exp(np.array([0.0, *(fitted[name] for name in SYSTEMS[1:])]))
    expected = dict(zip(SYSTEMS, strength / strength.sum(), strict=True))
    assert scores(ranking.davidson) == {name: pytest.approx(score, abs=1e-6) for name, score in expected.items()}
    assert ranking.tie_parameter == pytest.approx(np.exp(fitted["tie"]), rel=1e-5)
    assert ranking.left_advantage == pytest.approx(np.exp(fitted["side"]), rel=1e-5)


def test_sandwich_interval_is_near_a_bootstrap_of_the_items():
    rows = matches(seed=4, items=150)
    ranking = rank(judgements(rows), level=0.95)
    by_item = {}
    for one in rows:
        by_item.setdefault(one["item_id"], []).append(one)
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(120):
        picked = rng.choice(list(by_item), len(by_item))
        again = [{**one, "item_id": f"{place}"} for place, item in enumerate(picked) for one in by_item[item]]
        draws.append(scores(rank(judgements(again), level=0.95).bradley_terry))
    for standing in ranking.bradley_terry:
        spread = np.std([np.log(draw[standing.system] / (1 - draw[standing.system])) for draw in draws])
        ours = np.log(standing.high / (1 - standing.high)) - np.log(standing.low / (1 - standing.low))
        assert ours == pytest.approx(2 * 1.96 * spread, rel=0.35)


@examples
@given(st.integers(0, 10_000))
def test_scores_are_positive_sum_to_one_and_lie_in_their_intervals(seed):
    ranking = rank(judgements(matches(seed=seed, items=40)), level=0.95)
    for standings in (ranking.bradley_terry, ranking.davidson):
        found = [standing for standing in standings if standing.score is not None]
        if found:
            assert sum(standing.score for standing in found) == pytest.approx(1)
            assert all(0 < standing.low <= standing.score <= standing.high < 1 for standing in found)
            assert [standing.score for standing in found] == sorted((s.score for s in found), reverse=True)


@examples
@given(st.integers(0, 10_000))
def test_every_system_wins_as_often_as_its_score_expects(seed):
    """The gradient vanishes: that is what a maximum of the likelihood means."""
    data = judgements(matches(seed=seed, items=40))
    found = scores(rank(data, level=0.95).bradley_terry)
    if None in found.values():
        return
    surplus = dict.fromkeys(found, 0.0)
    for pair, score in zip(data.pair, data.score, strict=True):
        a, b = data.pairs[pair]
        expected = found[b] / (found[a] + found[b])
        surplus[b] += score - expected
        surplus[a] -= score - expected
    assert max(map(abs, surplus.values())) < 1e-4


def test_an_undefeated_system_has_no_finite_score_and_is_named():
    rows = [row(f"i{n}", f"r{n}", "A", a="p", b=other) for n, other in enumerate("qr")]
    rows += [row(f"j{n}", f"r{n}", label, a="q", b="r") for n, label in enumerate("AB")]
    ranking = rank(judgements(rows), level=0.95)
    assert [standing.score for standing in ranking.bradley_terry] == [None] * 3
    assert any("p never lost or tied" in note for note in ranking.notes)


def test_groups_never_compared_are_named():
    rows = [row(f"i{n}", "r1", label, a="p", b="q") for n, label in enumerate("AB")]
    rows += [row(f"j{n}", "r1", label, a="r", b="s") for n, label in enumerate("AB")]
    ranking = rank(judgements(rows), level=0.95)
    assert any("never compared with each other: p, q; r, s" in note for note in ranking.notes)
    assert {standing.score for standing in ranking.davidson} == {None}


def test_ties_alone_rank_nobody_higher():
    rows = [row(f"i{n}", f"r{n % 2}", "tie", a=a, b=b) for n, (a, b) in enumerate(["pq", "qr", "pr"] * 2)]
    ranking = rank(judgements(rows), level=0.95)
    assert list(scores(ranking.bradley_terry).values()) == pytest.approx([1 / 3] * 3)


def test_without_ties_or_sides_the_notes_say_so():
    ranking = rank(judgements(matches(seed=5, ties=0, sides=False)), level=0.95)
    assert scores(ranking.davidson) == {
        name: pytest.approx(s, abs=1e-7) for name, s in scores(ranking.bradley_terry).items()
    }
    assert ranking.tie_parameter == 0
    assert ranking.left_advantage is None
    assert len(ranking.notes) == 2


def test_a_side_that_always_wins_has_no_finite_advantage():
    rows = matches(seed=7, ties=0, k=1, items=40)
    always_left = [{**one, "label": "A" if one["shown_left"] == one["system_a"] else "B"} for one in rows]
    ranking = rank(judgements(always_left), level=0.95)
    assert ranking.left_advantage is None
    assert any(note.startswith("Davidson: no finite estimate") for note in ranking.notes)
    assert ranking.bradley_terry[0].score is not None


def test_one_annotator_gives_an_interval_for_that_annotator():
    rows = [{**one, "rater_id": "only"} for one in matches(seed=6, k=1)]
    ranking = rank(judgements(rows), level=0.95)
    assert any("this annotator only" in note for note in ranking.notes)
    assert ranking.bradley_terry[0].low is not None
