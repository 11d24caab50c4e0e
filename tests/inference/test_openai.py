"""OpenAI-compatible endpoints: a real llama.cpp server, with faults between it and the worker."""

import itertools
import json
import threading
from dataclasses import replace

import pytest

from inference_worker.backends import Completion, EngineError, Failure, Request, load_backend
from inference_worker.prompts import Prompt
from inference_worker.schema import SKILLS, Sampling
from inference_worker.skills import parse_skill_of_mind
from inference_worker.weights import find_weights
from tests.inference.endpoint import FaultyProxy, saying
from tests.inference.made import make_batch, make_spec

KEY = "sk-test-0123456789"


@pytest.fixture(scope="module")
def llama_server():
    """The server that llama.cpp brings along, with a key."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(find_weights("packaged:smollm2-135m-instruct"))
    params.model_alias = {"smollm2"}
    params.n_parallel, params.n_ctx, params.verbosity = 4, 4 * 512, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.api_keys = [KEY]
    server = xllamacpp.Server(params)
    yield server.listening_address
    del server


@pytest.fixture
def connect(monkeypatch, llama_server):
    """Return a function that loads the backend behind a proxy with these faults."""
    opened, loaded = [], []

    def open_one(*faults, key=KEY, source="local", **options):
        proxy = FaultyProxy(llama_server, *faults).__enter__()
        opened.append(proxy)
        monkeypatch.setenv("ENDPOINT_LOCAL_URL", proxy.url)
        monkeypatch.setenv("ENDPOINT_LOCAL_KEY", key)
        backend = load_backend(make_spec(backend="openai", source=source, options=options))
        loaded.append(backend)
        return backend, proxy

    yield open_one
    for backend in loaded:
        backend.close()
    for proxy in opened:
        proxy.__exit__()


def requests(count, *, tokens=4, **over):
    prompt = Prompt("Be brief.", "Say hello.")
    return [
        Request(**{"prompt": prompt, "sampling": Sampling(0.0, 1.0, tokens), "seed": n} | over) for n in range(count)
    ]


def ask(backend, given, stop=None):
    return dict(backend.generate(given, stop or threading.Event()))


@pytest.mark.model
def test_an_endpoint_answers_and_its_key_stays_here(connect):
    backend, proxy = connect(dialect="llamacpp")
    answers = ask(backend, requests(2))
    assert all(isinstance(answer, Completion) and answer.completion_tokens == 4 for answer in answers.values())
    assert answers[0].finish_reason == "length"
    assert KEY not in repr(backend.engine) + "".join(proxy.seen)
    assert not backend.engine.is_reproducible


@pytest.mark.model
@pytest.mark.parametrize("streams", [True, False])
def test_faults_that_pass_are_waited_out(connect, streams):
    backend, proxy = connect(429, "drop", 503, "garbage", "cut", stream=streams)
    answers = ask(backend, requests(3))
    assert all(isinstance(answer, Completion) for answer in answers.values())
    assert len(proxy.seen) == 3 + 5


@pytest.mark.model
def test_a_stream_tells_the_same_text_and_when_its_first_token_came(connect):
    whole, _ = connect(dialect="llamacpp", stream=False)
    (told,) = ask(whole, requests(1, tokens=8)).values()
    streaming, _ = connect(dialect="llamacpp")
    (streamed,) = ask(streaming, requests(1, tokens=8)).values()
    assert streamed == replace(told, first_token_ms=streamed.first_token_ms)
    assert streamed.first_token_ms > 0


@pytest.mark.model
def test_a_fault_that_stays_ends_as_a_failure_that_may_be_tried_later(connect):
    backend, proxy = connect(500, 500, 500, tries=3)
    (answer,) = ask(backend, requests(1)).values()
    assert isinstance(answer, Failure)
    assert answer.can_retry
    assert answer.reason.startswith("local answered 500")
    assert KEY not in answer.reason
    assert len(proxy.seen) == 3


@pytest.mark.model
def test_a_refusal_of_the_request_itself_is_not_tried_again(connect):
    backend, proxy = connect(400)
    (answer,) = ask(backend, requests(1)).values()
    assert (answer.can_retry, len(proxy.seen)) == (False, 1)


@pytest.mark.model
@pytest.mark.parametrize("fault", ["hang", "trickle"])
def test_a_slow_server_is_given_up_after_the_time_limit(connect, fault):
    backend, _ = connect(fault, tries=1, timeout_seconds=0.5)
    (answer,) = ask(backend, requests(1)).values()
    assert "did not answer (ReadTimeout)" in answer.reason


@pytest.mark.model
def test_no_more_requests_than_allowed_are_under_way(connect):
    backend, proxy = connect("meet", "meet", concurrency=2)
    assert len(ask(backend, requests(8))) == 8
    assert proxy.most_at_once == 2


@pytest.mark.model
def test_a_stop_ends_the_waiting(connect):
    backend, proxy = connect(*[503] * 200, concurrency=1, tries=200)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    assert ask(backend, requests(3), stop) == {}
    assert len(proxy.seen) < 200


@pytest.mark.model
def test_the_dialect_of_llama_cpp_goes_on_from_a_begun_answer_and_forces_the_form(connect):
    backend, _ = connect(dialect="llamacpp")
    given = requests(1, tokens=60, prompt=Prompt("", "How does she feel?", start="I notice that"), skills=SKILLS)
    text = ask(backend, given)[0].text
    assert parse_skill_of_mind(text).outcome == "ok"


@pytest.mark.model
def test_the_plain_dialect_says_what_it_cannot_do(connect):
    backend, proxy = connect()
    begun = requests(1, prompt=Prompt("", "Hi", start="I"))
    forced = requests(1, skills=SKILLS)
    assert "begun answer" in ask(backend, begun)[0].reason
    assert "force the form" in ask(backend, forced)[0].reason
    assert proxy.seen == []
    ask(backend, requests(1))
    assert set(json.loads(proxy.seen[0])) == {"model", "messages", "temperature", "top_p", "max_tokens", "seed"}


@pytest.mark.model
def test_a_wrong_key_stops_the_worker_at_the_start(connect):
    with pytest.raises(EngineError, match="The endpoint local refuses the key"):
        connect(key="wrong")


def test_an_endpoint_that_is_not_named_in_the_environment_is_refused():
    with pytest.raises(EngineError, match="ENDPOINT_MY_LAB_URL is not set"):
        load_backend(make_spec(backend="openai", source="my-lab:qwen"))


def test_an_endpoint_that_does_not_answer_is_refused(monkeypatch):
    monkeypatch.setenv("ENDPOINT_GONE_URL", "http://127.0.0.1:1/v1")
    with pytest.raises(EngineError, match=r"gone does not answer \(ConnectError\)"):
        load_backend(make_spec(backend="openai", source="gone"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("concurrency", 0),
        ("concurrency", 2.5),
        ("timeout_seconds", "long"),
        ("timeout_seconds", float("inf")),
        ("tries", True),
        ("tries", 1.5),
        ("stream", "yes"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(name, value):
    with pytest.raises(EngineError, match=f"The option {name} of openai"):
        load_backend(make_spec(backend="openai", source="local", options={name: value}))


def test_an_unknown_dialect_is_refused():
    with pytest.raises(EngineError, match="dialect must be one of"):
        load_backend(make_spec(backend="openai", source="local", options={"dialect": "klingon"}))


def test_an_option_that_is_not_there_is_named():
    with pytest.raises(EngineError, match="openai has no option 'retries' here: known are concurrency"):
        load_backend(make_spec(backend="openai", source="local", options={"retries": 3}))


@pytest.fixture
def named(monkeypatch):
    """Return a function that names an endpoint and loads its model `m`."""

    def load_one(url, *, key="", source="odd:m", **options):
        monkeypatch.setenv("ENDPOINT_ODD_URL", url)
        monkeypatch.setenv("ENDPOINT_ODD_KEY", key)
        return load_backend(make_spec(backend="openai", source=source, options={"tries": 1} | options))

    return load_one


def body(**values):
    """What `saying` says: this object, and a list of one model, so that the worker starts."""
    return [json.dumps({"data": [{"id": "m"}], **values}).encode()]


@pytest.mark.parametrize("url", ["ftp://host/v1", "https://", "host/v1", "http://host:port/v1"])
def test_what_is_no_address_is_refused(named, url):
    with pytest.raises(EngineError, match="ENDPOINT_ODD_URL is not set to an address"):
        named(url)


@pytest.mark.parametrize("key", ["sk-1\nX-Other: 2", "sk-1\rx", "schlüssel", "sk 1", "sk\x00"[:2] + "\x7f"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(named, key):
    with pytest.raises(EngineError, match="ENDPOINT_ODD_KEY holds a blank, a line break") as refused:
        named("http://127.0.0.1:1/v1", key=key)
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "content_type", "content", "words"),
    [
        (200, "text/html", b"<html>Welcome</html>", "sent an answer that is no chat completion"),
        (200, "application/json", b'{"error": {"message": "no such model"}}', "broke off: no such model"),
        (404, "text/html", b"<html>Nothing here</html>", "answered 404"),
        (404, "application/json", b'{"error": "model m does not exist"}', ".*model m does not exist"),
        (308, "text/plain", b"", "answered 308: it leads to another address"),
    ],
)
@pytest.mark.parametrize("dialect", ["openai", "vllm"])
def test_what_is_no_endpoint_or_lacks_the_model_is_refused_at_the_start(
    named, status, content_type, content, words, dialect
):
    headers = [("Location", "/elsewhere")] if status == 308 else []
    served = saying([content], status=status, content_type=content_type, headers=headers)
    with served as (url, _), pytest.raises(EngineError, match=f"does not serve m: odd {words}") as refused:
        named(url, dialect=dialect)
    assert "Check the address (up to and with /v1)" in str(refused.value)


def test_an_endpoint_that_lists_nothing_is_taken_where_the_model_answers(named):
    choice = {"message": {"content": "Hi"}, "finish_reason": "length"}
    with saying([json.dumps({"choices": [choice]}).encode()]) as (url, asked):
        named(url).close()
    assert json.loads(asked[0])["max_tokens"] == 1


@pytest.mark.parametrize("streams", [True, False])
def test_a_body_with_an_error_is_a_failure_with_its_words_and_without_the_key(named, streams):
    answer = body(error={"message": "Out of credit for sk-odd-123."})
    with saying(answer) as (url, _):
        backend = named(url, key="sk-odd-123", stream=streams)
        (found,) = ask(backend, requests(1)).values()
        backend.close()
    assert found == Failure("odd broke off: Out of credit for ….", can_retry=True)


def test_a_server_that_does_not_stream_is_read_all_the_same(named):
    choice = {"message": {"content": "Hi"}, "finish_reason": "stop"}
    with saying(body(choices=[choice])) as (url, _):
        backend = named(url, stream=True)
        (found,) = ask(backend, requests(1)).values()
        backend.close()
    assert found.text == "Hi"


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("content", [["Hi"], {"text": "Hi"}, 3])
def test_a_text_that_is_none_is_a_failure(named, streams, content):
    choice = {"message": {"content": content}, "delta": {"content": content}, "finish_reason": "stop"}
    answer = body(choices=[choice])
    events = [b"data: " + answer[0] + b"\n\n"] if streams else answer
    with saying(answer) as (url, _):
        backend = named(url, stream=streams)
    with saying(events, content_type="text/event-stream" if streams else "application/json") as (url, _):
        backend._client.base_url = url
        (found,) = ask(backend, requests(1)).values()
        backend.close()
    assert "no chat completion" in found.reason


def test_a_text_that_a_filter_held_back_is_no_text(named):
    choice = {"message": {"content": ""}, "finish_reason": "content_filter"}
    with saying(body(choices=[choice])) as (url, _):
        backend = named(url)
        (found,) = ask(backend, requests(1)).values()
        backend.close()
    assert "held the text back" in found.reason
    assert not found.can_retry


@pytest.mark.model
@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("fault", ["endless", "dots"])
def test_an_answer_without_end_is_given_up(connect, streams, fault):
    backend, _ = connect(fault, tries=1, timeout_seconds=60, stream=streams)
    (answer,) = ask(backend, requests(1)).values()
    assert isinstance(answer, Failure)
    assert answer.can_retry


@pytest.mark.model
def test_a_line_without_end_that_trickles_is_given_up_after_the_time_limit(connect):
    backend, _ = connect("dots slowly", tries=1, timeout_seconds=0.5, dialect="llamacpp")
    (answer,) = ask(backend, requests(1)).values()
    assert "did not answer (ReadTimeout)" in answer.reason


def test_a_list_of_models_without_end_stops_the_worker_at_the_start(named):
    with saying(itertools.repeat(b"#" * 65536)) as (url, _), pytest.raises(EngineError, match="does not answer"):
        named(url)


def test_a_batch_carries_the_endpoints_name_alone():
    assert "http" not in repr(make_batch(1, spec=make_spec(backend="openai", source="local")).model)
