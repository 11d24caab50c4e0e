"""What is in all responses of a study: skills, flags, and pairs that say the same.

It takes a second to find among ten thousand pairs. A response never changes, so it is kept, under a name that tells
which responses stand in which comparisons.
"""

from collections import Counter
from typing import NamedTuple

from django.core.cache import cache
from django.db.models import Count, F, Func, Max, Q, Sum, TextField
from django.db.models.functions import Lower

from annotation.models import Study
from annotation.quality import Flag, identical
from annotation.states import ComparisonKind

SIDES = ("baseline_response", "treatment_response")
KEPT_SECONDS = 24 * 3600


class Survey(NamedTuple):
    """Skills by name and flags by frequency, each with its number of comparisons; which say the same on both sides."""

    skills: tuple[tuple[str, int], ...]
    flags: tuple[tuple[str, int], ...]
    same: frozenset[int]


class LettersAndDigits(Func):
    """A text without everything else, computed by PostgreSQL."""

    function = "regexp_replace"
    template = r"%(function)s(%(expressions)s, '[^[:alnum:]]', '', 'g')"
    output_field = TextField()


def survey(study: Study) -> Survey:
    """Return what is in the responses as they stand now; read again only when other ones do."""
    name = _name(study)
    kept = cache.get(name)
    if isinstance(kept, Survey):
        return kept
    made = _survey(study)
    cache.set(name, made, KEPT_SECONDS)
    return made


def _name(study: Study) -> str:
    """Name the responses in their comparisons: those of a dialogue are numbered upwards, so another one moves a sum."""
    of = study.comparisons.aggregate(
        n=Count("pk"),
        last=Max("pk"),
        practice=Count("pk", filter=Q(kind=ComparisonKind.TRAINING)),
        **{side: Sum(f"{side}_id") for side in SIDES},
    )
    return "/".join(map(str, ["survey", study.pk, *of.values()]))


def _survey(study: Study) -> Survey:
    skills: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    facts = [f"{side}__{name}" for name in ("skill_of_mind__skill", "flags") for side in SIDES]
    rows = study.comparisons.exclude(kind=ComparisonKind.TRAINING).values_list(*facts)
    for one, other, *found in rows.iterator(chunk_size=2000):
        skills.update({skill for skill in (one, other) if skill})
        flags.update({flag for side in found for flag in side or ()})
    same = _same(study)
    if same:
        flags[Flag.SAME_AS_OTHER.value] = len(same)
    return Survey(tuple(sorted(skills.items())), tuple(flags.most_common()), same)


def _same(study: Study) -> frozenset[int]:
    """Return the comparisons whose two responses say the same: PostgreSQL finds candidates, the rule decides."""
    texts = [f"{side}__text" for side in SIDES]
    one, other = (LettersAndDigits(Lower(text)) for text in texts)
    alike = study.comparisons.annotate(one=one, other=other).filter(one=F("other")).exclude(one="")
    rows = alike.values_list("pk", *texts)
    return frozenset(pk for pk, mine, theirs in rows if identical(mine, theirs))
