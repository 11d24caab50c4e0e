"""Which agents and dialogues a study is about."""

from annotation.drawing import draw_evenly
from annotation.models import Agent, Dialogue, Study


def agents_of(study: Study) -> list[Agent]:
    """Return the agents that meet in the study's matchups, each once."""
    pairs = study.matchups.values_list("baseline_id", "treatment_id")
    ids = {identity for pair in pairs for identity in pair}
    return list(Agent.objects.filter(pk__in=ids).select_related("responder", "augmenter__model").order_by("pk"))


def dialogue_ids_of(study: Study) -> list[int]:
    """Return the ids of the study's dialogues: all of its collections, or its limit drawn evenly over kinds."""
    found = Dialogue.objects.filter(collection__studies=study).distinct().values_list("pk", "kind")
    return draw_evenly(found.order_by("pk"), limit=study.dialogues_limit, seed=study.seed)
