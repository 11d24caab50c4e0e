"""The way through a study, decided from what it asks and what a person has done."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from annotation.flow import BEFORE_MAIN, Flow, Progress, Step, attempts_left, failure, lead, names_of_steps
from annotation.states import Exit

FULL = Flow(checks_device=True, comprehension=2, attempts=2, training=3, training_needed=2, closing=1)
READ = Progress(passed=frozenset({Step.DEVICE, Step.INSTRUCTIONS}))


def test_steps_follow_one_another():
    assert lead(FULL, Progress()) == Step.DEVICE
    assert lead(FULL, Progress(passed=frozenset({Step.DEVICE}))) == Step.INSTRUCTIONS
    assert lead(FULL, READ) == Step.COMPREHENSION
    asked = replace(READ, comprehension=[False, True])
    assert lead(FULL, asked) == Step.TRAINING
    assert lead(FULL, replace(asked, training=[True, False])) == Step.TRAINING
    trained = replace(asked, training=[True, False, True])
    assert lead(FULL, trained) == Step.MAIN
    done = replace(trained, is_admitted=True, is_main_over=True, judged=4)
    assert lead(FULL, done) == Step.CLOSING
    assert lead(FULL, replace(done, passed=done.passed | {Step.CLOSING})) == Step.END


def test_a_study_without_steps_begins_with_the_main_part():
    bare = Flow(has_instructions=False)
    assert names_of_steps(bare) == [Step.MAIN]
    assert lead(bare, Progress()) == Step.MAIN


def test_two_failed_attempts_end_the_part():
    once, twice = replace(READ, comprehension=[False]), replace(READ, comprehension=[False, False])
    assert (failure(FULL, once), attempts_left(FULL, once)) == (None, 1)
    assert (failure(FULL, twice), attempts_left(FULL, twice)) == (Exit.FAILED_COMPREHENSION, 0)
    assert failure(FULL, replace(READ, comprehension=[False, True])) is None


def test_training_ends_as_soon_as_its_rule_cannot_be_met():
    asked = replace(READ, comprehension=[True])
    assert failure(FULL, replace(asked, training=[False])) is None
    assert failure(FULL, replace(asked, training=[False, False])) == Exit.FAILED_TRAINING
    assert failure(replace(FULL, training_needed=None), replace(asked, training=[False] * 3)) is None


def test_who_judged_nothing_gets_no_closing_questions():
    assert lead(FULL, Progress(is_admitted=True, is_main_over=True)) == Step.END


@given(
    st.builds(
        Flow,
        checks_device=st.booleans(),
        has_instructions=st.booleans(),
        comprehension=st.integers(0, 3),
        attempts=st.integers(1, 3),
        training=st.integers(0, 4),
        training_needed=st.none() | st.integers(0, 4),
        closing=st.integers(0, 2),
    ),
    st.lists(st.booleans(), max_size=12),
)
def test_everybody_reaches_an_end(flow, rights):
    """Whatever is answered, each step is left after finitely many answers, in order, by going on or by an exit."""
    flow = replace(flow, training_needed=min(flow.training_needed or 0, flow.training))
    progress, answers, seen = Progress(judged=1), iter(rights), []
    for _ in range(20):
        if failure(flow, progress):
            return
        step = lead(flow, progress)
        seen.append(step)
        if step in {Step.DEVICE, Step.INSTRUCTIONS, Step.CLOSING}:
            progress = replace(progress, passed=progress.passed | {step})
        elif step == Step.COMPREHENSION:
            progress = replace(progress, comprehension=[*progress.comprehension, next(answers, True)])
        elif step == Step.TRAINING:
            progress = replace(progress, training=[*progress.training, next(answers, True)])
        elif step == Step.MAIN:
            progress = replace(progress, is_admitted=True, is_main_over=True)
        else:
            break
    order = list(Step)
    assert seen[-1] == Step.END
    assert seen == sorted(seen, key=order.index)
    assert set(seen) & set(BEFORE_MAIN) == {step for step in BEFORE_MAIN if flow.has(step)}
