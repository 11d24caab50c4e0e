"""The worker as a process: over a real broker, while it works, when it is stopped, and when it cannot start."""

import signal

import pytest

from inference_worker.schema import SCHEMA_VERSION
from tests.inference.broker import WebSide
from tests.inference.made import WorkerProcess, make_batch, make_spec, write_replies
from webapp.stack.paths import runtime_dir
from webapp.stack.valkey import start_valkey


@pytest.fixture(scope="module")
def broker_url(tmp_path_factory):
    sockets = runtime_dir(tmp_path_factory.mktemp("broker"))
    sockets.mkdir(mode=0o700, exist_ok=True)
    valkey = start_valkey(sockets=sockets, log=sockets / "valkey.log")
    yield f"redis+socket://{sockets}/valkey.sock"
    valkey.stop(signal.SIGTERM, patience=3)


@pytest.fixture
def replies(tmp_path):
    return write_replies(tmp_path / "replies.jsonl")


def start(slug, replies, broker_url, **options):
    flags = ["--model", slug, "--backend", "replay", "--source", str(replies)]
    flags += [part for name, value in options.items() for part in ("--option", f"{name}={value}")]
    return WorkerProcess(*flags, BROKER_URL=broker_url)


def test_texts_come_back_in_portions_while_the_worker_says_that_it_lives(broker_url, replies):
    web = WebSide(broker_url)
    batch = make_batch(30, spec=make_spec(slug="live", source=str(replies)))
    web.send(batch)
    with start("live", replies, broker_url, seconds_per_text=0.2):
        web.wait_until(lambda seen: len(seen.records) == 30)
        web.wait_until(lambda seen: len(seen.signs) >= 4)
    assert {record.text for record in web.records.values()} == {"I see."}
    assert len(web.portions) >= 4
    first, *_ = web.signs
    assert (first.model, first.engine, first.stopping, first.version) == ("live", "replay", False, SCHEMA_VERSION)
    assert first.memory_bytes > 0
    assert {batch.id: [batch.items[0].token]} in [sign.batches for sign in web.signs]
    assert web.signs[-1].tokens_per_second > 0


def test_a_stopped_worker_hands_back_what_it_did_not_write(broker_url, replies):
    web = WebSide(broker_url)
    with start("stopped", replies, broker_url, seconds_per_text=0.6) as worker:
        web.send(make_batch(50, spec=make_spec(slug="stopped", source=str(replies))))
        web.wait_until(lambda seen: len(seen.records) >= 2)
        worker.process.terminate()
        status, _ = worker.finish()
    assert status == 0
    web.wait_until(lambda seen: len(seen.records) == 50)
    handed_back = [record for record in web.records.values() if record.handed_back]
    assert 0 < len(handed_back) < 50
    assert web.signs[-1].stopping
    assert web.signs[-1].batches == {}


def test_a_malformed_batch_is_dropped_and_the_next_one_is_done(broker_url, replies):
    web = WebSide(broker_url)
    web.app.send_task("inference_worker.generate", args=[{"id": 3}], queue="model.tidy")
    web.send(make_batch(1, spec=make_spec(slug="tidy", source=str(replies))))
    with start("tidy", replies, broker_url):
        web.wait_until(lambda seen: len(seen.records) == 1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "smollm2-135m", "--source", "/nowhere/model.gguf"], "no model file at /nowhere/model.gguf"),
        (["--model", "smollm2-135m", "--source", "packaged:gpt"], "no packaged model 'gpt'"),
        (["--model", "mine"], "add --backend and --source"),
        (["--model", "mine", "--backend", "replay", "--source", "/nowhere"], "no file /nowhere"),
    ],
)
def test_a_worker_that_cannot_start_says_why_and_ends_with_2(arguments, sentence):
    with WorkerProcess(*arguments, BROKER_URL="redis://127.0.0.1:1") as worker:
        status, errors = worker.finish()
    assert status == 2
    assert sentence in errors
    assert "Traceback" not in errors
