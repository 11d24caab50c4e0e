"""The sentence that answers a study, from figures alone: what holds, what leans, what cannot be told."""

import pytest

from annotation.reporting.answers import answer, verdict
from annotation.reporting.words import score_texts


def figure(low, estimate, high):
    return {"estimate": estimate, "low": low, "high": high, "n_items": 214, "n_annotators": 31}


def unknown(reason):
    return {"estimate": None, "reason": reason}


def pair(score, *, holm_p=0.001, band=None, together=None, annotators=31, **over):
    return {
        "system_a": "plain",
        "system_b": "guided",
        "n_items": 214,
        "n_annotators": annotators,
        "n_judgements": 642,
        "win_score_b": score,
        "win_score_b_items": score,
        "holm_p": holm_p,
        "band": band,
        "band_together": together,
        "equivalence": None,
    } | over


HIGH, LOW, MIDDLE = figure(0.54, 0.61, 0.68), figure(0.32, 0.39, 0.46), figure(0.45, 0.52, 0.59)


def said(*found, family=None):
    text = answer(found, level=0.95, family=family or len(found)).text
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_all_criteria_are_one_sentence_with_what_holds_at_its_end():
    assert said(("Naturalness", pair(HIGH)), ("Warmth", pair(HIGH)), ("Care", pair(HIGH))) == (
        "On naturalness people prefer guided: 61 % win score, 95 % between 54 and 68, 214 comparisons, 31 annotators; "
        "on warmth too: 61 %, 54 to 68; on care too: 61 %, 54 to 68; the three criteria together hold after correction."
    )


def test_the_winner_is_told_with_its_own_score():
    assert said(("Warmth", pair(LOW))) == (
        "On warmth people prefer plain: 61 % win score, 95 % between 54 and 68, 214 comparisons, 31 annotators."
    )


def test_preferences_come_first_and_different_winners_are_kept_apart():
    text = said(("Care", pair(MIDDLE, holm_p=0.6)), ("Warmth", pair(HIGH)), ("Wit", pair(LOW)), family=6)
    assert text == (
        "On warmth people prefer guided: 61 % win score, 95 % between 54 and 68, 214 comparisons, 31 annotators; "
        "on wit people prefer plain: 61 %, 54 to 68; "
        "on care the study cannot tell which is preferred (52 %, 45 to 59); "
        "the two differences together hold after correction for all six tests."
    )


def test_what_does_not_hold_after_correction_is_no_preference():
    text = said(("Warmth", pair(HIGH, holm_p=0.08)), ("Care", pair(MIDDLE, holm_p=0.6)))
    assert text.startswith("On warmth they lean to guided (61 % win score, 95 % between 54 and 68")
    assert "which does not hold after correction" in text
    assert "prefer guided" not in text


def test_a_running_study_is_told_by_its_band_and_corrected_by_the_wider_one():
    wide = figure(0.47, 0.61, 0.75)
    holding = pair(figure(0.58, 0.61, 0.64), band=HIGH, together=figure(0.51, 0.61, 0.71))
    leaning = pair(figure(0.58, 0.61, 0.64), band=HIGH, together=wide)
    assert (
        "prefer guided: 61 % win score, 95 % band between 54 and 68, 214 finished comparisons, 31 annotators"
        in said(("Warmth", holding))
    )
    assert "lean to guided" in said(("Warmth", leaning))
    assert "cannot tell yet" in said(("Warmth", pair(HIGH, band=wide, together=wide)))


def test_the_fixed_interval_of_a_running_study_is_nowhere_in_its_sentence():
    running = pair(figure(0.5899, 0.61, 0.6301), band=HIGH, together=HIGH)
    assert not {"58", "59", "63"} & set(said(("Warmth", running)).replace(";", " ").split())


def test_before_the_band_starts_the_sentence_says_only_that():
    early = unknown("the band starts at 20 finished comparisons by 5 annotators; there are 3 by 2")
    found = pair(HIGH, band=early, together=early)
    assert said(("Warmth", found), ("Care", found)) == f"Too early to tell: {early['reason']}."


def test_equality_is_said_with_its_margin_only():
    close = pair(figure(0.48, 0.51, 0.54), holm_p=0.5, equivalence={"is_equivalent": True, "margin": 0.05})
    assert "do not differ by more than 5 points" in said(("Warmth", close))
    unsure = pair(MIDDLE, holm_p=0.5, equivalence={"is_equivalent": False, "margin": 0.05})
    assert "cannot tell" in said(("Warmth", unsure))


def test_one_annotator_is_not_people():
    alone = pair(unknown("one annotator"), annotators=1, win_score_b_items=HIGH | {"n_annotators": 1}, holm_p=None)
    text = said(("Warmth", alone))
    assert (
        "what people prefer is not estimable from one annotator, whose answers give 61 % win score for guided" in text
    )
    assert verdict(alone, level=0.95).winner == ""


@pytest.mark.parametrize(
    ("limits", "told"),
    [((0.502, 0.61, 0.72), ("61.0", "50.2", "72.0")), ((0.31, 0.4, 0.4996), ("40.00", "31.00", "49.96"))],
)
def test_rounding_never_moves_a_limit_over_the_half(limits, told):
    assert score_texts(figure(*limits)) == told
