"""Checks of attention are fair: who follows their text passes, whatever the seed, place and order of options."""

from collections import Counter
from itertools import pairwise

import pytest
from django.conf import settings
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from annotation.checks import (
    FIRST_REPEAT_AFTER,
    INSTRUCTIONS,
    NONSENSE,
    CheckKind,
    Checks,
    Special,
    is_hasty,
    item_for,
    special_at,
)
from annotation.rehearsal.page import read_page
from annotation.views.one_more import draw_item, item_words, option_words

seeds = st.integers(0, 2**31 - 1)
BOTH = Checks(every=8)
KINDS = [tuple(CheckKind), (CheckKind.INSTRUCTION,), (CheckKind.NONSENSE,)]


DISAGREEING = {"en": "Disagree", "de": "Stimme nicht zu", "es": "En desacuerdo", "ar": "لا أوافق"}
"""How people say no to nonsense, in the words of the page."""


def follow(html: str, language: str = "en") -> str:
    """Read a check as a person does, and answer what its words ask; returns the value of the option chosen.

    Who is told what to choose chooses the one option whose words stand in the text; anything else is nonsense.
    """
    page = read_page(html)
    group = next(group for group in page.all("fieldset") if "one-more" in group.attributes["class"])
    text = group.all("legend")[0].text
    offered = {option.text.rstrip("0123456789 "): option.all("input")[0] for option in group.all("label")}
    named = [words for words in offered if words in text]
    assert len(named) <= 1, "a text names one option at most"
    return offered[named[0] if named else DISAGREEING[language]].attributes["value"]


@pytest.mark.parametrize("language", DISAGREEING)
@given(seed=seeds, block=st.integers(0, 200), every=st.integers(1, 30), kinds=st.sampled_from(KINDS))
def test_who_follows_the_text_always_passes_in_every_language(language, seed, block, every, kinds):
    checks = Checks(every=every, kinds=kinds)
    numbers = range(block * every + 1, block * every + every + 1)
    items = [item for number in numbers if (item := item_for(checks, seed=seed, number=number))]
    assert len(items) == 1, "exactly one check in every block"
    with translation.override(language):
        assert items[0].passes(follow(draw_item(items[0]), language))


def test_the_pages_have_no_language_without_its_honest_reader():
    assert set(DISAGREEING) == {code for code, _ in settings.LANGUAGES}


@pytest.mark.parametrize("language", DISAGREEING)
def test_every_text_is_asked_as_it_should_be_in_every_language(language):
    """Each item on its own: an instruction names its side and no other option, nonsense names none."""
    with translation.override(language):
        for name, text in item_words().items():
            named = [value for value, words in option_words().items() if words in text]
            assert named == ([name.removeprefix("choose-")] if name in INSTRUCTIONS else [])
        assert len(set(option_words().values())) == 6, "options that read alike cannot be told apart"
        assert option_words()["disagree"] == DISAGREEING[language]


@given(seed=seeds, number=st.integers(1, 500))
def test_nonsense_has_two_sides_and_no_middle(seed, number):
    item = item_for(Checks(every=2, kinds=(CheckKind.NONSENSE,)), seed=seed, number=number)
    if item:
        assert len(item.options) == 4
        assert len(item.passing) == 2
        assert not {"left", "same", "right"} & set(item.options)


@given(seed=seeds, start=st.integers(1, 500))
def test_nobody_passes_by_one_fixed_answer(seed, start):
    """Neither the same side nor the same place on the scale passes everything: checks tell care from its lack."""
    items = [item_for(BOTH, seed=seed, number=n) for n in range(start, start + 400)]
    shown = [item for item in items if item]
    for place in (0, -1):
        assert not all(item.passes(item.options[place]) for item in shown)


@given(seed=seeds)
def test_both_kinds_take_turns_and_no_statement_comes_twice_too_soon(seed):
    items = [item for n in range(1, 97) if (item := item_for(BOTH, seed=seed, number=n))]
    assert all(one.kind != other.kind for one, other in pairwise(items))
    nonsense = [item.name for item in items if item.kind == CheckKind.NONSENSE]
    assert max(Counter(nonsense[: len(NONSENSE) // 2]).values()) == 1


@given(seed=seeds, gold=st.integers(2, 12), repeat=st.integers(2, 12))
def test_specials_have_exactly_their_share_and_never_meet(seed, gold, repeat):
    checks, span = Checks(gold_every=gold, repeat_every=repeat), gold * repeat * 2
    at = [special_at(checks, seed=seed, number=n) for n in range(1, span + 1)]
    assert at.count(Special.GOLD) == span // gold
    assert at.count(Special.REPEAT) <= span // repeat
    if repeat > 2 and gold > 2:
        assert at.count(Special.REPEAT) == span // repeat


def test_places_differ_between_people_and_repeat_from_the_record():
    places = [tuple(n for n in range(1, 65) if item_for(BOTH, seed=seed, number=n)) for seed in range(50)]
    assert len(set(places)) > 40
    assert places[7] == tuple(n for n in range(1, 65) if item_for(BOTH, seed=7, number=n))


def test_a_study_without_checks_has_none():
    assert not Checks()
    assert item_for(Checks(), seed=1, number=1) is None
    assert special_at(Checks(), seed=1, number=1) is None
    assert FIRST_REPEAT_AFTER >= 1


@pytest.mark.parametrize(("ms", "least", "hasty"), [(4999, 5, True), (5000, 5, False), (None, 5, False), (0, 0, False)])
def test_hasty_is_faster_than_the_least_time_where_time_is_known(ms, least, hasty):
    assert is_hasty(ms, least) == hasty


def test_every_option_has_words():
    assert set(option_words()) == {"left", "right", "disagree-strongly", "disagree", "agree", "agree-strongly"}
