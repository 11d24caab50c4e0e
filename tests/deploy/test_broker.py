"""The broker's users, tried on a RabbitMQ node that starts the way the container does."""

import json
import os
import re
import subprocess
import sys
import time

import amqp
import pytest
from amqp.exceptions import AccessRefused, NotFound
from celery import Celery

from inference_worker.schema import (
    GENERATE_TASK,
    RECORD_TASK,
    Batch,
    Item,
    ModelSpec,
    Recipe,
    Sampling,
    Turn,
    model_queue,
    to_json,
)
from tests.deploy.node import CONF, PASSWORDS, START, Node, is_installed
from webapp.env import ROOT


def start_environment(directory, **over):
    """Return the environment of start.sh; the broker that it becomes is `true`, unless PATH names a real one."""
    (directory / "rabbitmq-server").symlink_to("/bin/true")
    path = f"{directory}:{os.environ['PATH']}"
    return {"PATH": path, "DEFINITIONS_FILE": str(directory / "definitions.json"), **PASSWORDS, **over}


def run_start(env):
    return subprocess.run(["sh", START], env=env, capture_output=True, text=True, timeout=20)


def test_the_definitions_are_json_that_only_the_broker_can_read(tmp_path):
    assert run_start(start_environment(tmp_path)).returncode == 0
    file = tmp_path / "definitions.json"
    assert file.stat().st_mode & 0o077 == 0
    rights = {entry["user"]: entry for entry in json.loads(file.read_text())["permissions"]}
    assert re.search(rights["gpu"]["read"], "model.thanos-8b")
    assert not re.search(rights["gpu"]["read"], "results")
    assert not re.search(rights["gpu"]["write"], "amq.default")


@pytest.mark.parametrize("name", sorted(PASSWORDS))
@pytest.mark.parametrize("password", ["", 'a"b', "a b", "pass:word", "pass/word"])
def test_a_password_that_would_break_an_address_is_refused(tmp_path, name, password):
    done = run_start(start_environment(tmp_path, **{name: password}))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{name} must be set, of letters, digits")
    assert not (tmp_path / "definitions.json").exists()


def test_the_configuration_names_the_file_that_is_written():
    assert "load_definitions = /tmp/definitions.json" in CONF.read_text()
    assert "${DEFINITIONS_FILE:-/tmp/definitions.json}" in START.read_text()


@pytest.fixture(scope="module")
def broker():
    """Start a node of its own and return its port."""
    if not is_installed():
        pytest.skip("RabbitMQ is not installed here")
    node = Node()
    try:
        node.start()
        yield node.port
    finally:
        node.remove()


def connect(port, user):
    password = {"duologue": "web-password", "gpu": "gpu-password"}[user]
    return amqp.Connection(f"127.0.0.1:{port}", user, password, virtual_host="duologue", connect_timeout=5)


def publish(channel, exchange, key):
    """Publish and wait for the broker's word on it."""
    channel.confirm_select()
    channel.basic_publish_confirm(amqp.Message("hello"), exchange=exchange, routing_key=key, mandatory=True)


def test_a_gpu_worker_reads_its_model_queue_and_writes_results(broker):
    with connect(broker, "duologue") as web, connect(broker, "gpu") as gpu:
        gpu.channel().queue_declare("model.tiny", durable=True, auto_delete=False)
        publish(web.channel(), "", "model.tiny")
        message = gpu.channel().basic_get("model.tiny")
        assert message.body == "hello"
        publish(gpu.channel(), "results", "results")
        assert web.channel().basic_get("results", no_ack=True).body == "hello"


FORBIDDEN = {
    "read the results": lambda channel: channel.basic_get("results"),
    "read the default queue": lambda channel: channel.basic_get("default"),
    "write to the default queue": lambda channel: publish(channel, "", "default"),
    "write to another model's queue": lambda channel: publish(channel, "", "model.other"),
    "write through a standard exchange": lambda channel: publish(channel, "amq.direct", "default"),
    "make a queue of its own": lambda channel: channel.queue_declare("mine"),
    "delete the results": lambda channel: channel.queue_delete("results"),
    "bind the results elsewhere": lambda channel: channel.queue_bind("model.tiny", "results", "results"),
}


@pytest.mark.parametrize("action", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_a_gpu_worker_may_not(broker, action):
    with connect(broker, "duologue") as web, connect(broker, "gpu") as gpu:
        for queue in ("default", "model.tiny", "model.other"):
            web.channel().queue_declare(queue, durable=True, auto_delete=False)
        with pytest.raises(AccessRefused):
            action(gpu.channel())


def test_there_is_no_guest(broker):
    with pytest.raises(AccessRefused):
        amqp.Connection(f"127.0.0.1:{broker}", "guest", "guest", connect_timeout=5).connect()


def a_batch(model):
    recipe = Recipe("respond", "Answer.", "{dialogue}", Sampling())
    item = Item(7, "token", "r", 1, "", (Turn("Ana", "Is it far?"),), "Luis")
    return Batch("b1", model, {"r": recipe}, (item,))


@pytest.fixture
def worker(broker, tmp_path):
    """Start a real worker with the GPU user's rights, before anybody has made its queue."""
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"text": "It was, yesterday."}\n')
    model = ModelSpec("replayed", "replay", str(answers))
    env = {"PATH": os.environ["PATH"], "BROKER_URL": address(broker, "gpu"), "MODEL_SPEC": json.dumps(to_json(model))}
    log = tmp_path / "worker.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "inference_worker"], env=env, cwd=ROOT, stdout=out, stderr=out
        )
    yield model, log
    process.terminate()
    assert process.wait(60) == 0, log.read_text()


def test_a_worker_with_these_rights_takes_a_batch_and_sends_what_came_of_it(broker, worker):
    model, log = worker
    wait_until(lambda: queue_exists(broker, model_queue(model.slug)), log)
    with Celery("web", broker=address(broker, "duologue"), set_as_current=False) as web:
        web.send_task(GENERATE_TASK, args=[to_json(a_batch(model))], queue=model_queue(model.slug))
    tasks = {}
    wait_until(lambda: tasks.update(next_result(broker)) or RECORD_TASK in tasks, log)
    assert [record["text"] for record in tasks[RECORD_TASK]["records"]] == ["It was, yesterday."]
    assert "ACCESS_REFUSED" not in log.read_text()


def address(port, user):
    password = {"duologue": "web-password", "gpu": "gpu-password"}[user]
    return f"amqp://{user}:{password}@127.0.0.1:{port}/duologue"


def queue_exists(port, name):
    with connect(port, "duologue") as web:
        try:
            web.channel().queue_declare(name, passive=True)
        except NotFound:
            return False
        return True


def next_result(port):
    """Return the task and the message of the next result, if there is one."""
    with connect(port, "duologue") as web:
        message = web.channel().basic_get("results", no_ack=True)
    if message is None:
        return {}
    return {message.application_headers["task"]: json.loads(message.body)[0][0]}


def wait_until(is_true, log):
    deadline = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
