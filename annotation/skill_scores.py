"""How often guidance names the skill that people chose: accuracy, macro F1 and a confusion table. Pure: no Django.

Several reference skills: naming one of them is right, and that one is taken as the true skill; where none was named the
first of them is. So every dialogue has one true skill and the figures are the usual ones of a single-label task. What
is outside the taxonomy, or no skill at all, is counted as wrong under `OTHER`, which is no class of its own in F1.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference_worker.schema import SKILLS

OTHER = "(none of the 39)"


@dataclass(frozen=True)
class Named:
    """The skill that was named for a dialogue, and those that people chose for it. `strata` are (variable, value)."""

    references: tuple[str, ...]
    skill: str
    strata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SkillScore:
    """The figures of one stratum; of everything where `variable` is empty. Shares are None where there is nothing.

    `confusion` counts (true skill, named skill); true skills are known ones, named ones may be `OTHER`.
    """

    variable: str
    value: str
    n: int
    correct: int
    macro_f1: float | None
    confusion: dict[tuple[str, str], int]

    @property
    def accuracy(self) -> float | None:
        return self.correct / self.n if self.n else None


def skill_scores(named: Iterable[Named]) -> list[SkillScore]:
    """Return the figures of all dialogues first, then of each stratum, by variable and value.

    Dialogues whose references hold no skill of the taxonomy are passed over: nothing could be right.
    """
    members: dict[tuple[str, str], list[tuple[str, str]]] = {("", ""): []}
    for each in named:
        if pair := _pair(each):
            for stratum in (("", ""), *each.strata):
                members.setdefault(stratum, []).append(pair)
    first, *others = members.items()
    return [_score(*stratum, pairs) for stratum, pairs in [first, *sorted(others)]]


def canonical(skill: str) -> str:
    """Return the taxonomy's spelling of a skill, "" if it has none; case, hyphens and punctuation do not count."""
    return _BY_KEY.get(_key(skill), "")


def f1_by_skill(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Return F1 = 2 TP / (2 TP + FP + FN) of every skill that occurs as true or named, `OTHER` left out."""
    true = Counter(pair[0] for pair in pairs)
    said = Counter(pair[1] for pair in pairs)
    hits = Counter(pair[0] for pair in pairs if pair[0] == pair[1])
    return {skill: 2 * hits[skill] / (true[skill] + said[skill]) for skill in SKILLS if true[skill] + said[skill]}


def _pair(named: Named) -> tuple[str, str] | None:
    references = [known for skill in named.references if (known := canonical(skill))]
    if not references:
        return None
    said = canonical(named.skill) or OTHER
    return (said if said in references else references[0], said)


def _score(variable: str, value: str, pairs: Sequence[tuple[str, str]]) -> SkillScore:
    scores = f1_by_skill(pairs)
    return SkillScore(
        variable=variable,
        value=value,
        n=len(pairs),
        correct=sum(true == said for true, said in pairs),
        macro_f1=sum(scores.values()) / len(scores) if scores else None,
        confusion=dict(sorted(Counter(pairs).items(), key=lambda item: (-item[1], item[0]))),
    )


def _key(skill: str) -> str:
    return " ".join(re.findall(r"[a-z]+", skill.casefold()))


_BY_KEY = {_key(skill): skill for skill in SKILLS}
