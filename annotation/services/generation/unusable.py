"""What keeps a study's comparisons from being shown: responses that are missing or flagged."""

from collections.abc import Iterator
from dataclasses import dataclass

from annotation.models import Response, Study
from annotation.quality import Flag, identical, usable
from annotation.services.comparisons import chosen_dialogues


@dataclass(frozen=True)
class Lack:
    """One dialogue and agent without a usable response. `response` is None where there is none at all."""

    dialogue: int
    agent: int
    response: Response | None
    flags: tuple[str, ...]


def unusable(study: Study) -> list[Lack]:
    """Return every dialogue and agent of the study that lacks a usable response.

    Where two agents of a matchup say the same, both are listed: a new text of either helps.
    """
    pairs = list(study.matchups.values_list("baseline_id", "treatment_id"))
    agents = sorted({agent for pair in pairs for agent in pair})
    dialogues = chosen_dialogues(study)
    found = Response.objects.filter(dialogue__in=dialogues, agent__in=agents, sample=0, is_current=True)
    responses = {(each.dialogue_id, each.agent_id): each for each in found.select_related("agent")}
    same = set(_same(pairs, dialogues, responses))
    lacks = (
        _lack(dialogue, agent, responses.get((dialogue, agent)), is_same=(dialogue, agent) in same)
        for dialogue in dialogues
        for agent in agents
    )
    return [lack for lack in lacks if lack]


def _lack(dialogue: int, agent: int, response: Response | None, *, is_same: bool) -> Lack | None:
    if response is None:
        return Lack(dialogue, agent, None, ())
    flags = (*response.flags, *([Flag.SAME_AS_OTHER.value] if is_same else []))
    return None if usable(flags) else Lack(dialogue, agent, response, flags)


def _same(
    pairs: list[tuple[int, int]], dialogues: list[int], responses: dict[tuple[int, int], Response]
) -> Iterator[tuple[int, int]]:
    for dialogue in dialogues:
        for one, other in pairs:
            mine, theirs = responses.get((dialogue, one)), responses.get((dialogue, other))
            if mine and theirs and identical(mine.text, theirs.text):
                yield from ((dialogue, one), (dialogue, other))
