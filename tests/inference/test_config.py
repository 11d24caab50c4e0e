"""What a worker is started with, and what it says when that is not enough."""

import json

import pytest

from inference_worker.backends import BACKENDS, EngineError
from inference_worker.config import known_models, read_config
from inference_worker.schema import ModelSpec

BROKER = {"BROKER_URL": "redis://localhost"}


def test_a_model_of_the_registry_is_known_by_its_slug():
    spec = read_config(["--model", "smollm2-135m"], BROKER).spec
    assert (spec.backend, spec.source) == ("llamacpp", "packaged:smollm2-135m-instruct")


def test_flags_come_before_what_is_known():
    arguments = ["--model", "thanos-8b", "--backend", "transformers", "--revision", "abc", "--option", "dtype=float32"]
    spec = read_config([*arguments, "--option", "slots=4", "--option", 'lora={"rank": 8}'], BROKER).spec
    assert (spec.backend, spec.source, spec.revision) == ("transformers", "passing2961/Thanos-8B", "abc")
    assert spec.options == {"dtype": "float32", "slots": 4, "lora": {"rank": 8}}


def test_a_container_gets_all_of_it_in_one_variable():
    text = json.dumps({"slug": "mine", "backend": "replay", "source": "a.jsonl", "options": {"x": 1}})
    spec = read_config([], {**BROKER, "MODEL_SPEC": text}).spec
    assert spec == ModelSpec("mine", "replay", "a.jsonl", options={"x": 1})


@pytest.mark.parametrize(
    "url", ["amqp://gpu:p%40ss@host:5672/duologue", "amqps://host", "redis://:key@host/0", "redis+socket://%2Fa/b.sock"]
)
def test_the_address_of_any_broker_is_taken(url):
    assert read_config(["--model", "smollm2-135m"], {"BROKER_URL": url}).broker_url == url


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["--model", "smollm2-135m"], {}, "BROKER_URL is not set"),
        (
            ["--model", "smollm2-135m"],
            {"BROKER_URL": "http://secret@localhost"},
            "BROKER_URL is no address of a broker",
        ),
        (["--model", "smollm2-135m"], {"BROKER_URL": "localhost:5672"}, "BROKER_URL is no address of a broker"),
        (["--model", "smollm2-135m"], {"BROKER_URL": "redis://localhost:99999/0"}, "BROKER_URL is no address"),
        ([], BROKER, "--model SLUG"),
        (["--model", "my-model"], BROKER, "add --backend and --source"),
        (["--model", "smollm2-135m", "--option", "slots"], BROKER, "name=value"),
        ([], {**BROKER, "MODEL_SPEC": "{"}, "MODEL_SPEC is not the JSON"),
        ([], {**BROKER, "MODEL_SPEC": '{"slug": 3}'}, "slug must be a str"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(arguments, environment, sentence):
    with pytest.raises(EngineError, match=sentence):
        read_config(arguments, environment)


def test_every_known_model_names_a_backend():
    assert all(known["backend"] in BACKENDS and known["source"] for known in known_models().values())
