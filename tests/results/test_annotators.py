"""What is told of annotators: by hand, and Dawid-Skene against crowd-kit."""

import numpy as np
import pandas as pd
import pytest
from crowdkit.aggregation import DawidSkene
from hypothesis import given
from hypothesis import strategies as st

from annotation.results import latent, quality
from annotation.results.data import NotEstimable
from annotation.results.errors import NoFiniteEstimate
from tests.results.made import by_table, examples, judgements, random_rows, row


def table(data, **more):
    return {person.annotator: person for person in quality.quality_table(data, **more)}


def test_leave_one_out_agreement_by_hand():
    people = table(by_table({"i1": "AAB", "i2": "BB.", "i3": "A.t", "i4": "B.."}))
    # ann0: 1/2 with (A, B), 1 with (B), 0 with (t); alone on i4.
    assert people["ann0"].agreement.estimate == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert people["ann0"].agreement.n == 3
    assert people["ann2"].agreement.estimate == 0
    deviations = np.array([0, 1 / 2, -1 / 2])
    assert people["ann0"].agreement.se == pytest.approx(np.sqrt((deviations**2).sum() / 9 * 3 / 2))


def test_agreement_is_within_a_criterion_and_its_error_over_comparisons():
    rows = [
        row("i1", rater, label, dimension=name) for name in ("x", "y") for rater, label in (("r1", "A"), ("r2", "A"))
    ]
    rows += [row("i2", rater, label, dimension="x") for rater, label in (("r1", "A"), ("r2", "B"))]
    one = table(judgements(rows))["r1"]
    assert one.agreement.estimate == pytest.approx(2 / 3)
    assert one.agreement_by_criterion["x"].estimate == pytest.approx(1 / 2)
    assert one.agreement_by_criterion["y"].se is None
    sums = np.array([2 * (1 - 2 / 3), 0 - 2 / 3])
    assert one.agreement.se == pytest.approx(np.sqrt((sums**2).sum() / 9 * 2))
    assert (one.n_judgements, one.n_comparisons) == (3, 2)


def test_both_bad_agrees_with_both_bad_alone():
    people = table(by_table({"i1": "xt", "i2": "xx"}))
    assert people["ann0"].agreement.estimate == pytest.approx(1 / 2)


def test_someone_always_alone_has_no_agreement():
    assert table(by_table({"i1": "A", "i2": "B"}))["ann0"].agreement is None


@examples
@given(st.integers(0, 10_000))
def test_agreement_of_all_is_the_percent_agreement_where_all_items_have_as_many(seed):
    from annotation.results.agreement import count_labels, percent_agreement

    data = judgements(random_rows(items=20, annotators=5, k=3, seed=seed))
    shares = quality.agreement_with_others(data)
    assert shares.mean() == pytest.approx(percent_agreement(count_labels(data, graded=False).nominal))


def test_left_share_modal_answer_and_longest_run_follow_what_was_shown():
    answers = [("A", "plain"), ("B", "guided"), ("A", "plain"), ("tie", "plain"), ("B", "plain")]
    rows = [row(f"i{n}", "r1", label, shown_left=side) for n, (label, side) in enumerate(answers)]
    one = table(judgements(rows))["r1"]
    # Left, left, left, tie, right.
    assert one.left_share == pytest.approx(3 / 4)
    assert one.modal_share == pytest.approx(3 / 5)
    assert one.longest_run == 3


def test_runs_do_not_go_on_from_one_criterion_or_person_to_the_next():
    rows = [row(f"i{n}", who, "A", dimension=name) for who in ("r1", "r2") for name in ("x", "y") for n in range(2)]
    assert {person.longest_run for person in table(judgements(rows)).values()} == {2}


def test_time_is_counted_once_a_comparison_against_the_studys_own_quantile():
    rows = [
        row(f"i{n}", "fast" if n % 20 == 0 else "calm", "A", dimension=name, seconds=2 if n % 20 == 0 else 30)
        for n in range(40)
        for name in ("x", "y")
    ]
    people = table(judgements(rows))
    assert (people["calm"].median_seconds, people["fast"].median_seconds) == (30, 2)
    assert people["calm"].fast_share == 0
    assert people["fast"].n_comparisons == 2


def test_faster_than_anyone_reads_is_told():
    rows = [
        row("i1", "r1", "A", seconds=5, length_a=60, length_b=60),
        row("i2", "r1", seconds=20, length_a=60, length_b=60),
    ]
    assert table(judgements(rows))["r1"].below_reading_share == pytest.approx(1 / 2)


def test_unknown_times_and_sides_are_not_told():
    one = table(judgements([row(), row("i2")]))["ann"]
    assert (one.left_share, one.median_seconds, one.fast_share, one.below_reading_share) == (None, None, None, None)


@examples
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(0, 10_000))
def test_medians_are_numpys(groups, seed):
    groups = np.array(groups)
    values = np.random.default_rng(seed).gamma(2, 10, len(groups))
    expected = [np.median(values[groups == group]) if (groups == group).any() else np.nan for group in range(4)]
    assert quality._medians(values, groups, 4) == pytest.approx(expected, nan_ok=True)


def test_gold_answers_have_a_lower_wilson_limit():
    gold = table(by_table({"i1": "AB"}), gold={"ann0": (8, 10), "ann1": (0, 0)})
    assert gold["ann0"].gold.share == pytest.approx(0.8)
    assert gold["ann0"].gold.low == pytest.approx(0.4901, abs=1e-4)
    assert gold["ann1"].gold is None


def crowd(seed):
    """Items with a true label, judged by careful and careless annotators."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, 150, p=[0.3, 0.2, 0.5])
    care = rng.uniform(0.65, 0.95, 8)
    item = np.repeat(np.arange(150), 4)
    annotator = rng.random((150, 8)).argsort(axis=1)[:, :4].ravel()
    right = rng.random(len(item)) < care[annotator]
    return item, annotator, np.where(right, truth[item], rng.integers(0, 3, len(item))), truth


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_dawid_skene_is_crowd_kits():
    item, annotator, label, _ = crowd(1)
    frame = pd.DataFrame({"task": item, "worker": annotator, "label": label})
    theirs = DawidSkene(n_iter=120, tol=1e-7).fit_predict_proba(frame).loc[range(150), range(3)].to_numpy()
    ours = latent.dawid_skene(item, annotator, label, labels=3)
    assert ours == pytest.approx(theirs, abs=1e-3)


def test_dawid_skene_finds_the_truth_better_than_the_majority():
    item, annotator, label, truth = crowd(2)
    posterior = latent.dawid_skene(item, annotator, label, labels=3)
    votes = np.bincount(item * 3 + label, minlength=450).reshape(150, 3)
    assert (posterior.argmax(axis=1) == truth).mean() >= (votes.argmax(axis=1) == truth).mean()


def test_dawid_skene_of_unanimous_items_is_their_label():
    shares = latent.latent_shares(by_table({"i1": "AA", "i2": "BB", "i3": "tt", "i4": "BB"}))
    assert (shares.a_wins, shares.ties, shares.b_wins) == pytest.approx((1 / 4, 1 / 4, 1 / 2))
    assert shares.win_score_b == pytest.approx(5 / 8)


def test_dawid_skene_needs_items_with_two_judgements_and_a_likelihood_that_settles(monkeypatch):
    assert isinstance(latent.latent_shares(by_table({"i1": "A", "i2": "B"})), NotEstimable)
    monkeypatch.setattr(latent, "ROUNDS", 1)
    with pytest.raises(NoFiniteEstimate):
        latent.dawid_skene(*crowd(3)[:3], labels=3)
    assert "settle" in latent.latent_shares(by_table({"i1": "AAB", "i2": "BtB", "i3": "tAB"})).reason
