"""The first record with a valid token wins. Whatever is late, doubled, forged or malformed changes nothing."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from annotation import tasks
from annotation.models import GenerationUnit, Response, SkillOfMind, Stage, Worker
from annotation.services import generation
from annotation.services.generation.endings import MAX_ERRORS
from annotation.services.generation.leases import LEASE
from annotation.states import RunState, UnitState
from inference_worker.schema import Records, Thought, to_json
from tests.generation.worker import answer, answer_item, forged_token, holds, provenance

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(study, crew, now):
    """The first batch: five thoughts and five plain responses."""
    generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    return batch


def respond_item(batch):
    return next(item for item in batch.items if batch.recipes[item.recipe].stage == Stage.RESPOND)


def think_item(batch):
    return next(item for item in batch.items if batch.recipes[item.recipe].stage == Stage.THINK)


def send_back(batch, *records, now):
    return generation.record(Records(batch.id, "w1", records), now=now)


def test_a_response_carries_its_provenance(batch, now):
    item = respond_item(batch)
    send_back(batch, answer_item(batch, item), now=now)
    found = Response.objects.get().provenance
    assert found == found | {
        "engine": "test",
        "engine_version": "1",
        "revision": "r1",
        "seed": item.seed,
        "attempt": 1,
        "worker": "w1",
        "unit": item.unit,
        "prompt_tokens": 20,
        "completion_tokens": 10,
        "milliseconds": 5,
        "finish_reason": "stop",
    }
    assert found["sampling"]["max_new_tokens"] == 48


def test_the_same_record_twice_is_stored_once(batch, now):
    records = answer(batch)
    generation.record(records, now=now)
    generation.record(records, now=now)
    assert (Response.objects.count(), SkillOfMind.objects.count()) == (5, 5)


def test_a_unit_twice_in_one_message_is_stored_once(batch, now):
    each = answer_item(batch, respond_item(batch))
    send_back(batch, each, replace(each, text="Another text."), now=now)
    assert Response.objects.count() == 1


def test_what_a_stopped_worker_hands_back_is_queued_again_and_counts_as_no_error(batch, now):
    item = respond_item(batch)
    send_back(batch, answer_item(batch, item, error="stopped", can_retry=True, handed_back=True), now=now)
    unit = GenerationUnit.objects.get(pk=item.unit)
    assert (unit.state, unit.errors, unit.token, unit.not_before) == (UnitState.QUEUED, 0, None, None)


def test_a_forged_token_is_refused(batch, now):
    send_back(batch, answer_item(batch, respond_item(batch), token=forged_token()), now=now)
    send_back(batch, answer_item(batch, respond_item(batch), token="no token"), now=now)
    assert Response.objects.count() == 0


@pytest.mark.parametrize("unit", [0, -1, 2**63, 10**30, 999_999_999])
def test_a_forged_unit_is_refused(batch, now, unit):
    send_back(batch, answer_item(batch, respond_item(batch), unit=unit), now=now)
    assert Response.objects.count() == 0


def test_the_token_of_another_batch_is_refused(study, batch, crew, now):
    generation.record(answer(batch), now=now)
    (second,) = crew.dispatch(now=now)
    send_back(batch, answer_item(second, second.items[0], token=batch.items[0].token), now=now)
    assert Response.objects.filter(skill_of_mind__isnull=False).count() == 0


def test_a_late_record_counts_until_the_unit_is_sent_again(batch, now):
    later = now + LEASE * 2
    generation.sweep(now=later)
    generation.record(answer(batch), now=later)
    assert Response.objects.count() == 5


def test_a_record_of_an_earlier_attempt_is_refused_once_the_unit_is_sent_again(batch, crew, now):
    later = now + LEASE * 2
    generation.sweep(now=later)
    much_later = later + timedelta(minutes=1)
    crew.announce(now=much_later)
    (again,) = crew.dispatch(now=much_later)
    generation.record(answer(batch), now=much_later)
    assert Response.objects.count() == 0
    generation.record(answer(again), now=much_later)
    assert Response.objects.count() == 5
    assert set(Response.objects.values_list("provenance__attempt", flat=True)) == {2}


def test_an_error_that_may_pass_is_tried_again_after_a_pause(batch, crew, now):
    item = respond_item(batch)
    send_back(batch, answer_item(batch, item, error="The engine is busy.", can_retry=True), now=now)
    unit = GenerationUnit.objects.get(pk=item.unit)
    assert (unit.state, unit.errors, unit.token) == (UnitState.QUEUED, 1, None)
    assert unit.not_before > now
    assert crew.dispatch(now=now) == []


def test_an_error_that_does_not_pass_fails_with_its_reason(batch, now):
    item = respond_item(batch)
    send_back(batch, answer_item(batch, item, error="The prompt is longer than the model takes."), now=now)
    unit = GenerationUnit.objects.get(pk=item.unit)
    assert (unit.state, unit.reason) == (UnitState.FAILED, "The prompt is longer than the model takes.")


def test_errors_that_keep_coming_fail_in_the_end(batch, crew, now):
    unit = GenerationUnit.objects.get(pk=respond_item(batch).unit)
    GenerationUnit.objects.exclude(pk=unit.pk).delete()
    tries = 0
    while batch:
        tries += 1
        send_back(batch, answer_item(batch, batch.items[-1], unit=unit.pk, error="Busy.", can_retry=True), now=now)
        now += timedelta(minutes=10)
        crew.announce(now=now)
        batch = next(iter(crew.dispatch(now=now)), None)
    unit.refresh_from_db()
    assert (unit.state, unit.reason, tries) == (UnitState.FAILED, "Busy.", MAX_ERRORS)


def test_a_failed_thought_fails_those_that_wait_for_it(batch, now):
    item = think_item(batch)
    send_back(batch, answer_item(batch, item, error="No chat template."), now=now)
    follower = GenerationUnit.objects.get(thinks_first=item.unit)
    assert (follower.state, follower.reason) == (UnitState.FAILED, "Its skill-of-mind failed: No chat template.")


def test_a_thought_without_a_skill_is_kept_and_fails_the_response_that_needs_one(batch, now):
    item = think_item(batch)
    thought = Thought("no_marker", "She is sad.", "")
    send_back(batch, answer_item(batch, item, thought=thought), now=now)
    assert SkillOfMind.objects.get().outcome == "no_marker"
    follower = GenerationUnit.objects.get(thinks_first=item.unit)
    assert (follower.state, follower.reason) == (
        UnitState.FAILED,
        "Its skill-of-mind has no skill (outcome: no_marker).",
    )


def test_retrying_thinks_again_with_another_seed_where_the_thought_was_no_use(batch, crew, now):
    run = GenerationUnit.objects.first().run
    generation.record(answer(batch, thought=Thought("no_marker", "She is sad.", "")), now=now)
    assert generation.progress(run, now=now).failed == 5
    assert run.state == RunState.DONE
    assert generation.retry_failed(run, now=now) == 5
    crew.work_off(now=now)
    progress = generation.progress(run, now=now)
    assert (progress.failed, progress.waiting) == (0, 0)
    assert SkillOfMind.objects.filter(is_current=True, outcome="ok").count() == 5
    assert SkillOfMind.objects.filter(is_current=False, outcome="no_marker").count() == 5
    seeds = SkillOfMind.objects.values_list("provenance__seed", flat=True)
    assert len(set(seeds)) == 10


def test_retrying_a_failed_thought_lets_its_followers_wait_again(batch, crew, now):
    run = GenerationUnit.objects.first().run
    generation.record(answer(batch, error="Out of memory."), now=now)
    assert generation.progress(run, now=now).failed == 15
    assert generation.retry_failed(run, now=now) == 15
    crew.work_off(now=now)
    progress = generation.progress(run, now=now)
    assert (progress.done, progress.failed, run.state) == (15, 0, RunState.DONE)


def test_flags_and_the_normalised_text_are_stored_beside_the_raw_one(batch, now):
    item = respond_item(batch)
    record = answer_item(batch, item, text=" Ana: That sounds hard.\nBen: It is.", provenance=provenance(batch, item))
    send_back(batch, record, now=now)
    found = Response.objects.get()
    assert (found.text, found.flags) == ("That sounds hard.", ["labelled", "several_turns"])
    assert found.raw_text == " Ana: That sounds hard.\nBen: It is."


def test_a_text_that_the_token_limit_cut_off_ends_with_a_full_sentence_in_the_demo(batch, now):
    item = respond_item(batch)
    cut = provenance(batch, item, finish_reason="length")
    send_back(batch, answer_item(batch, item, text="I am sorry. You must be", provenance=cut), now=now)
    found = Response.objects.get()
    assert (found.text, found.flags) == ("I am sorry.", ["shortened"])


def test_characters_that_no_database_holds_are_replaced(batch, now):
    item = respond_item(batch)
    odd = replace(provenance(batch, item), device="\x00\ud800")
    send_back(batch, answer_item(batch, item, text="Odd \x00 and \ud83d here.", provenance=odd), now=now)
    assert Response.objects.get().text == "Odd \ufffd and \ufffd here."


def test_numbers_that_are_none_are_stored_as_unknown(batch, now):
    item = respond_item(batch)
    odd = provenance(batch, item, sampling=replace(batch.recipes[item.recipe].sampling, temperature=float("nan")))
    send_back(batch, answer_item(batch, item, provenance=odd), now=now)
    assert Response.objects.get().provenance["sampling"]["temperature"] is None


@pytest.mark.parametrize(
    "message",
    [None, 1, "records", [], {}, {"batch": 1}, {"batch": "b", "worker": "w", "records": [{"unit": "1"}]}],
)
def test_malformed_messages_are_dropped_and_logged(study, message, caplog):
    tasks.record(message)
    tasks.alive(message)
    assert "Dropped a malformed record" in caplog.text
    assert "Dropped a malformed alive message" in caplog.text
    assert not Worker.objects.exists()


def test_a_message_through_the_task_records_and_sends_what_it_made_possible(batch, crew, now, monkeypatch):
    with crew.on_commit(execute=True):
        tasks.record(to_json(answer(batch)))
    assert Response.objects.count() == 5
    (following,) = crew.take_batches()
    assert len(following.items) == 5


def test_a_worker_of_an_unknown_model_is_noted_and_serves_nobody(study, crew, now, caplog):
    assert crew.announce(now=now, model="no-such-model") is None
    worker = Worker.objects.get()
    assert (worker.slug, worker.model) == ("no-such-model", None)
    assert "no registered model" in caplog.text
    assert generation.live_workers(now=now) == []
    tasks.sweep()


def test_a_worker_cannot_renew_with_a_forged_token(batch, crew, now):
    later = now + LEASE * 0.9
    crew.announce(now=later, worker="thief", batches={batch.id: [forged_token(), "x"], "y": ["z"]})
    assert not GenerationUnit.objects.filter(worker="thief").exists()


def test_a_worker_that_names_a_batch_of_another_model_renews_nothing(batch, crew, now):
    crew.announce(now=now, worker="other", model="thanos-8b", batches=holds(batch))
    assert not GenerationUnit.objects.filter(worker="other").exists()


def test_the_admin_sees_what_a_worker_says_of_itself(study, crew, now):
    crew.announce(now=now, device="x" * 500, memory_bytes=-5, tokens_per_second=float("nan"))
    worker = Worker.objects.get()
    assert (len(worker.device), worker.memory_bytes, worker.tokens_per_second) == (200, 0, 0)


def test_a_random_message_id_changes_nothing(batch, now):
    generation.record(Records(str(uuid.uuid4()), "w1", ()), now=now)
    assert Response.objects.count() == 0
