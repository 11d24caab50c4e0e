"""How often the guidance of a run names the skills that people chose, where dialogues carry reference skills."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Q

from annotation.models import Augmenter, GenerationRun, GenerationUnit, SkillOfMind, Source
from annotation.services.exports.csv_files import csv_lines
from annotation.skill_scores import Named, SkillScore, canonical, skill_scores
from inference_worker.schema import CATEGORY_OF

SCORES = ("augmenters", "stratum", "value", "dialogues", "correct", "accuracy", "macro_f1")
CONFUSION = ("augmenters", "stratum", "value", "reference_skill", "named_skill", "dialogues")


@dataclass(frozen=True)
class Scored:
    """The figures of one way of thinking; `augmenters` are all that share it, by name."""

    augmenters: str
    scores: tuple[SkillScore, ...]

    @property
    def overall(self) -> SkillScore:
        return self.scores[0]


def has_references(run: GenerationRun) -> bool:
    """Whether a dialogue of this run carries a reference skill."""
    guided = GenerationUnit.objects.filter(run=run).exclude(skill_of_mind=None)
    return guided.exclude(dialogue__reference_skills=[]).exists()


def scores_of(run: GenerationRun) -> list[Scored]:
    """Return the figures of every way of thinking in this run that names skills, by name.

    A thought that several units share counts once. A chain of thought names no skill, so it is left out.
    """
    names = _names(run)
    named: dict[str, list[Named]] = defaultdict(list)
    for settings_hash, each in _named(run):
        if settings_hash in names:
            named[settings_hash].append(each)
    scored = [Scored(names[key], tuple(skill_scores(members))) for key, members in named.items()]
    return sorted((each for each in scored if each.overall.n), key=lambda each: each.augmenters)


def scores_csv(run: GenerationRun) -> Iterator[str]:
    """Yield the figures, one stratum a row."""
    return csv_lines(
        SCORES,
        (
            (scored.augmenters, *_place(score), score.n, score.correct, _share(score.accuracy), _share(score.macro_f1))
            for scored in scores_of(run)
            for score in scored.scores
        ),
    )


def confusion_csv(run: GenerationRun) -> Iterator[str]:
    """Yield the confusion tables in long format: one pair of skills of one stratum a row."""
    return csv_lines(
        CONFUSION,
        (
            (scored.augmenters, *_place(score), reference, said, count)
            for scored in scores_of(run)
            for score in scored.scores
            for (reference, said), count in score.confusion.items()
        ),
    )


def _named(run: GenerationRun) -> Iterator[tuple[str, Named]]:
    of_run = GenerationUnit.objects.filter(run=run).exclude(skill_of_mind=None).values("skill_of_mind")
    thoughts = SkillOfMind.objects.filter(pk__in=of_run).exclude(dialogue__reference_skills=[]).order_by("pk")
    facts = thoughts.values_list(
        "settings_hash", "skill", "dialogue__reference_skills", "dialogue__kind", "dialogue__collection__name"
    )
    for settings_hash, skill, references, kind, collection in facts.iterator(chunk_size=2000):
        yield settings_hash, Named(tuple(map(str, references)), skill, tuple(_strata(references, kind, collection)))


def _strata(references: Iterable[str], kind: str, collection: str) -> Iterator[tuple[str, str]]:
    yield "collection", collection
    if kind:
        yield "kind of dialogue", kind
    known = [skill for each in references if (skill := canonical(str(each)))]
    for category in sorted({CATEGORY_OF[skill] for skill in known}):
        yield "category of a reference skill", category


def _names(run: GenerationRun) -> dict[str, str]:
    """Return the augmenters behind each way of thinking that this run's guidance came from, by its hash."""
    found: dict[str, set[str]] = defaultdict(set)
    units = GenerationUnit.objects.filter(run=run).exclude(skill_of_mind=None)
    pairs = units.values_list("skill_of_mind__settings_hash", "augmenter", "agent__augmenter").order_by().distinct()
    augmenters = Augmenter.objects.filter(~Q(source=Source.DOCTOR)).in_bulk()
    for settings_hash, thinks, guides in pairs:
        for pk in (thinks, guides):
            if pk in augmenters:
                found[settings_hash].add(augmenters[pk].name)
    return {settings_hash: ", ".join(sorted(names)) for settings_hash, names in found.items()}


def _place(score: SkillScore) -> tuple[str, str]:
    return score.variable or "all", score.value


def _share(value: float | None) -> float | str:
    return "" if value is None else round(value, 6)
