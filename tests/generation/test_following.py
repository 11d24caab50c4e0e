"""Following a run: numbers that agree with the rows, at a cost that does not grow with them."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from rich.console import Console

from annotation.management.watching import watch
from annotation.models import Agent, GenerationUnit, RunTally
from annotation.services import generation
from annotation.services.generation.progress import Cost
from annotation.services.generation.wording import cost_of_thinking, describe, duration, summarise
from annotation.services.registry import DEMO_TREATMENT
from annotation.states import RunState
from inference_worker.schema import Records, Thought
from tests.build import make_dialogue
from tests.generation.worker import answer

pytestmark = pytest.mark.django_db


def stage_of(progress, name):
    return next(stage for stage in progress.stages if stage.stage == name)


def test_progress_tells_stages_apart(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    generation.record(answer(batch), now=now)
    progress = generation.progress(run, now=now)
    think, respond = stage_of(progress, "think"), stage_of(progress, "respond")
    assert (think.done, think.total, respond.done, respond.total) == (5, 5, 5, 10)
    assert (respond.prompt_tokens, respond.completion_tokens) == (100, 50)


def test_the_time_left_follows_from_tokens_and_speed(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    assert generation.progress(run, now=now).seconds_left is None
    (batch,) = crew.dispatch(now=now)
    generation.record(answer(batch), now=now)
    # Five responses of ten tokens each at ten tokens a second.
    assert generation.progress(run, now=now).seconds_left == pytest.approx(5.0)


def test_nobody_knows_the_time_left_without_a_worker(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    generation.record(answer(batch), now=now)
    later = now + timedelta(minutes=5)
    progress = generation.progress(run, now=later)
    assert progress.seconds_left is None
    assert "waits for a worker" in describe(stage_of(progress, "respond"))


def test_progress_costs_the_same_for_many_units(study, crew, now, django_assert_num_queries):
    for number in range(300):
        make_dialogue(collection=study.collections.get(), external_id=f"more{number}")
    run = generation.start_run(study, now=now)
    with django_assert_num_queries(4):
        generation.progress(run, now=now)


def test_an_agent_says_which_workers_it_waits_for(study, crew, now):
    agent = Agent.objects.get(name="Llama 3.1 8B Instruct with Thanos 8B")
    served = generation.who_serves(agent, now=now)
    assert not served.is_served
    assert served.sentence == (
        "Waits for a worker that serves Thanos 8B and Llama 3.1 8B Instruct (needs a GPU). "
        "Start one: python -m inference_worker --model thanos-8b --option dtype=bfloat16 and "
        "python -m inference_worker --model llama-3-1-8b --option dtype=bfloat16"
    )


def test_an_agent_is_served_once_its_workers_speak(study, crew, now):
    agent = Agent.objects.get(name=DEMO_TREATMENT)
    assert not generation.who_serves(agent, now=now).is_served
    crew.announce(now=now)
    assert generation.who_serves(agent, now=now).sentence == "Served now: SmolLM2 135M Instruct."
    assert not generation.who_serves(agent, now=now + timedelta(minutes=1)).is_served


def test_an_agent_with_imported_responses_needs_nobody(db, now):
    assert generation.who_serves(Agent(name="Imported"), now=now).is_served


def test_a_log_file_gets_lines_instead_of_bars(study, crew, now):
    run = generation.start_run(study, now=now)
    written = io.StringIO()
    end = watch(run, console=Console(file=written), sleep=lambda _: crew.work_off(now=now))
    assert end.state == RunState.DONE
    assert written.getvalue().startswith("Think: SmolLM2 135M Instruct 0 of 5 (waits for a worker)")
    said, cost = summarise(end).splitlines()
    assert said == f"Run {run.pk}: 15 of 15 texts written."
    assert cost.startswith("Thinking took 33% of the engines' time")


def test_a_terminal_gets_a_bar_for_every_stage(study, crew, now):
    run = generation.start_run(study, now=now)
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=120)
    watch(run, console=console, sleep=lambda _: crew.work_off(now=now))
    assert "Think: SmolLM2 135M Instruct" in written.getvalue()
    assert "10/10" in written.getvalue()


def test_the_command_orders_and_says_what_the_study_waits_for(study, crew, capsys):
    call_command("generate", study.name, "--no-wait")
    assert "Waits for a worker that serves SmolLM2 135M Instruct" in capsys.readouterr().out
    assert GenerationUnit.objects.count() == 15


def test_the_command_follows_until_everything_is_there(study, crew, now, capsys):
    generation.start_run(study, now=now)
    crew.work_off(now=now)
    call_command("generate", str(study.code))
    assert "10 responses were there already" in capsys.readouterr().out


def test_the_command_tells_the_reasons_of_failures(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.work_off(now=now, error="The prompt is too long.")
    with pytest.raises(CommandError, match="There is no study"):
        call_command("generate", "nonsense")
    call_command("generate", study.name, "--retry-failed", "--no-wait")
    crew.work_off(now=now, error="The prompt is too long.")
    assert generation.progress(run, now=now).failed == 15


def test_nothing_failed_before_the_first_run(study):
    with pytest.raises(CommandError, match="Nothing was generated"):
        call_command("generate", study.name, "--retry-failed")


@pytest.mark.parametrize(("seconds", "words"), [(5, "5 s"), (100, "2 min"), (3 * 3600 + 120, "3 h 02 min")])
def test_durations_read_well(seconds, words):
    assert duration(seconds) == words


def test_tallies_are_one_row_for_each_stage_and_model(study, crew, now):
    generation.start_run(study, now=now)
    assert RunTally.objects.count() == 2


def test_outcomes_of_thoughts_and_flags_of_responses_are_counted(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    odd = Thought("unknown_skill", "She is sad.", "Kindness", "Empathy")
    records = answer(batch, text="Ana: Oh dear.").records
    first, *others = sorted(records, key=lambda record: record.thought is None)
    generation.record(Records(batch.id, "w1", (replace(first, thought=odd), *others)), now=now)
    progress = generation.progress(run, now=now)
    assert progress.outcomes == {"ok": 4, "unknown_skill": 1}
    assert progress.flags == {"labelled": 5}
    assert progress.outcome_shares == [("ok", 4, 0.8), ("unknown_skill", 1, 0.2)]
    assert progress.flag_shares == [("labelled", 5, 1.0)]


def spending(records, *, think, respond):
    """These records as if each text had cost so much."""
    told = tuple(
        replace(each, provenance=replace(each.provenance, **(think if each.thought else respond)))
        for each in records.records
    )
    return replace(records, records=told)


def test_the_cost_of_thinking_is_told_as_shares_of_time_and_tokens(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    assert cost_of_thinking(generation.progress(run, now=now)) == "What thinking costs is not known yet."
    spent = {
        "think": {"engine_milliseconds": 30.0, "prompt_tokens": 40, "completion_tokens": 30},
        "respond": {"engine_milliseconds": 5.0, "prompt_tokens": 60, "completion_tokens": 10},
    }
    while batches := crew.dispatch(now=now):
        for batch in batches:
            generation.record(spending(answer(batch), **spent), now=now)
    progress = generation.progress(run, now=now)
    assert stage_of(progress, "think").engine_seconds == pytest.approx(5 * 0.030)
    # Five thoughts, ten responses.
    assert progress.cost_of_thinking == Cost(
        seconds=pytest.approx(150 / 200), prompt_tokens=pytest.approx(0.25), completion_tokens=pytest.approx(0.6)
    )
    assert "Thinking took 75% of the engines' time, 60% of the tokens written and 25% of those read." in summarise(
        progress
    )


def test_a_worker_that_counts_wildly_does_not_break_the_sums(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    wild = {"engine_milliseconds": float("inf"), "prompt_tokens": 2**70, "completion_tokens": -3}
    generation.record(spending(answer(batch), think=wild, respond=wild), now=now)
    assert generation.progress(run, now=now).done == len(batch.items)
