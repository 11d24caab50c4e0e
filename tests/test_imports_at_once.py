"""Two people import at the same moment: what is in both files comes in once, and neither is turned away."""

import io
import json
from functools import partial

import pytest

from annotation.models import Agent, Dialogue, Response
from annotation.services.importing import import_file
from annotation.services.responses import import_responses
from tests import build
from tests.generation.test_side_by_side import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def lines(*rows) -> io.BytesIO:
    return io.BytesIO("".join(json.dumps(row) + "\n" for row in rows).encode())


def test_responses_of_a_new_agent_come_in_once():
    collection = build.make_collection()
    for number in range(40):
        build.make_dialogue(collection=collection, external_id=f"d{number}")
    rows = [{"dialogue_id": f"d{number}", "response": f"I would take bus {number}."} for number in range(40)]
    send = [partial(import_responses, "System X", file=lines(*rows), filename="x.jsonl") for _ in range(3)]
    done = at_once(*send)
    assert sorted((each.created, each.unchanged) for each in done) == [(0, 40), (0, 40), (40, 0)]
    assert (Agent.objects.filter(name="System X").count(), Response.objects.count()) == (1, 40)


def test_dialogues_of_a_new_collection_come_in_once():
    turns = [{"speaker": "Ana", "text": "Is it far?"}]
    rows = [{"id": f"d{number}", "turns": turns, "next_speaker": "Luis"} for number in range(40)]
    done = at_once(*[partial(import_file, "Pilot", file=lines(*rows), filename="x.jsonl") for _ in range(3)])
    assert sorted((each.created, each.unchanged) for each in done) == [(0, 40), (0, 40), (40, 0)]
    assert Dialogue.objects.filter(collection__name="Pilot").count() == 40
