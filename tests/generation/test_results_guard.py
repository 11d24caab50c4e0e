"""The results queue takes records and alive messages, and refuses whatever else is written there."""

from types import SimpleNamespace

import pytest
from celery import Celery
from celery.canvas import Signature
from kombu import Connection

from inference_worker.schema import ALIVE_TASK, DEFAULT_QUEUE, RECORD_TASK, RESULTS_QUEUE
from webapp.celery import app as site
from webapp.results_guard import GuardedConsumer, why_refused


def sent(task: str = RECORD_TASK, args=({},), *, queue: str = RESULTS_QUEUE, **options):
    """Send a message through a broker of this process, and take it off as a worker would."""
    app = Celery("gpu", broker="memory://", set_as_current=False)
    app.conf.task_serializer = "json"
    app.send_task(task, args=list(args), queue=queue, **options)
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue(queue).get(block=False)
        message.ack()
    app.close()
    return message


@pytest.mark.parametrize("task", [RECORD_TASK, ALIVE_TASK])
def test_records_and_alive_messages_pass(task):
    assert why_refused(sent(task)) == ""


@pytest.mark.parametrize("task", ["annotation.sweep", "annotation.dispatch", "celery.map", "inference_worker.generate"])
def test_other_tasks_are_refused(task):
    assert task in why_refused(sent(task))


def test_other_queues_are_not_looked_at():
    assert why_refused(sent("annotation.sweep", queue=DEFAULT_QUEUE)) == ""


def test_callbacks_are_refused():
    link = Signature("inference_worker.generate", args=[{}])
    assert why_refused(sent(link=link)) == "it asks for callbacks."
    assert why_refused(sent(link_error=link)) == "it asks for callbacks."


def test_a_message_that_would_be_held_until_later_is_refused():
    assert why_refused(sent(countdown=3600)) == "it is to be held until later."


@pytest.mark.parametrize("args", [(), ({}, {})])
def test_other_arguments_are_refused(args):
    assert "arguments" in why_refused(sent(args=args))
    assert "arguments" in why_refused(sent(args=({},), kwargs={"x": 1}))


@pytest.mark.parametrize("body", ["no json", "1", "{}", "[]", '[[], {}, {"callbacks": null}, 1]', "[[1], {}, 2]"])
def test_bodies_of_another_form_are_refused(body):
    with Connection("memory://") as connection:
        channel = connection.channel()
        place = {"exchange": RESULTS_QUEUE, "routing_key": RESULTS_QUEUE}
        raw = channel.prepare_message(body, 0, "application/json", "utf-8", {"task": RECORD_TASK}, {})
        raw["properties"] |= {"delivery_info": place, "delivery_tag": "1"}
        assert why_refused(channel.message_to_python(raw))


def test_a_message_of_an_old_protocol_is_refused():
    message = SimpleNamespace(delivery_info={"routing_key": RESULTS_QUEUE}, headers={}, payload={"task": RECORD_TASK})
    assert "names the task" in why_refused(message)


def test_the_default_worker_uses_the_guard():
    assert site.conf.worker_consumer == f"{GuardedConsumer.__module__}:{GuardedConsumer.__name__}"
