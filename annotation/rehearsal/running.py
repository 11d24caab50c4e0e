"""A rehearsal from start to verdict: a copy of the study, a crowd of simulated annotators, the results, the check."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from annotation.errors import DuologueError
from annotation.models import Comparison, Matchup, Scale, Study
from annotation.rehearsal.allowance import MISS_CHANCE
from annotation.rehearsal.annotator import SimulatedAnnotator
from annotation.rehearsal.rule import CHARACTERS, Expected, expected_score
from annotation.rehearsal.verdict import Recovered, Verdict, check_slope, check_win_score, read_results, table
from annotation.services import generation
from annotation.services.actors import Actor
from annotation.services.exports.files import write_files
from annotation.services.rehearsals import make_rehearsal
from annotation.services.studies import close, launch
from annotation.states import AssignmentState, ComparisonKind

# Everybody has consented before anybody rates, so that all of them get a share of the work.
ENROLMENT_SECONDS = 120


class RehearsalFailed(DuologueError):
    """The rehearsal did not come to an end."""


@dataclass(frozen=True)
class Outcome:
    """What a rehearsal showed. It `holds` when every win score that the rule puts in came out again."""

    study: Study
    annotators: int
    judged: int
    csv: Path
    verdicts: tuple[Verdict, ...]

    @property
    def holds(self) -> bool:
        return bool(self.verdicts) and all(verdict.holds for verdict in self.verdicts)

    def __str__(self) -> str:
        ending = "Every figure came out as it should" if self.holds else "The rehearsal FAILED"
        return "\n".join(
            [
                *(f"{agent}: {note}." for agent, note in generation.notes_of(self.study)),
                f"Rehearsal: {self.annotators} simulated annotators judged {self.judged} times through the pages.",
                *table(self.verdicts),
                "Behind ±: how far a figure may be from what the rule leads to expect; all hold together "
                f"but for a chance of 0.1 %. {ending}.",
                f"Judgements, all marked as a rehearsal: {self.csv}",
                f"Every figure: python -m annotation.results '{self.csv}'",
            ]
        )


def rehearse(study: Study, *, annotators: int, address: str, folder: Path, actor: Actor = None) -> Outcome:
    """Rehearse a study whose pages are served at `address`. The judgements land below `folder` as a CSV.

    Raises: RehearsalFailed, PageRefused, and what a launch of the study would raise.
    """
    if annotators < study.judgements_per_comparison:
        raise RehearsalFailed(
            f"{study.judgements_per_comparison} different people judge each comparison of this study, "
            f"so {annotators} simulated annotators are too few."
        )
    rehearsal = make_rehearsal(study, actor=actor)
    launch(rehearsal, actor=actor, now=timezone.now())
    judged = judge(address + reverse("annotator:landing", args=[rehearsal.code]), annotators)
    rehearsal.annotators.update(is_simulated=True)
    require_complete(rehearsal)
    close(rehearsal, actor=actor, now=timezone.now())
    files = write_files(rehearsal, folder / str(rehearsal.code))
    (csv,) = (path for path in files if path.name.endswith("judgements.csv"))
    return Outcome(
        rehearsal,
        annotators,
        judged,
        csv,
        tuple(compare(rehearsal, read_results(csv), chance=chance_of_each(rehearsal))),
    )


def judge(link: str, annotators: int) -> int:
    """Let the crowd take part at the same time. Returns how many comparisons they judged together."""
    everybody_is_in = threading.Barrier(annotators)
    crowd = [
        SimulatedAnnotator(
            link,
            character=CHARACTERS[number % len(CHARACTERS)],
            seed=number,
            once_in=lambda: everybody_is_in.wait(ENROLMENT_SECONDS),
        )
        for number in range(annotators)
    ]

    def take_part(person: SimulatedAnnotator) -> int:
        try:
            return person.take_part()
        except BaseException:
            everybody_is_in.abort()
            raise

    with ThreadPoolExecutor(annotators) as pool:
        parts = [pool.submit(take_part, person) for person in crowd]
    faults = [fault for part in parts if (fault := part.exception()) is not None]
    for fault in sorted(faults, key=lambda fault: isinstance(fault, threading.BrokenBarrierError)):
        raise fault
    return sum(part.result() for part in parts)


def require_complete(rehearsal: Study) -> None:
    """Raise unless every comparison has exactly k judgements of each criterion."""
    k = rehearsal.judgements_per_comparison
    short = [comparison for comparison, count in counted(rehearsal) if count != k]
    if short:
        raise RehearsalFailed(
            f"{len(short)} comparisons of {rehearsal} do not have exactly {k} judgements, "
            f"for example comparison {short[0].code}."
        )


def counted(rehearsal: Study) -> list[tuple[Comparison, int]]:
    """Return the comparisons that count in the results, with the number of people who judged each."""
    submitted = Count("assignments", filter=Q(assignments__state=AssignmentState.SUBMITTED))
    shown = rehearsal.comparisons.filter(kind=ComparisonKind.MAIN, excluded_at=None).annotate(judged=submitted)
    with_texts = shown.select_related("baseline_response", "treatment_response")
    return [(comparison, comparison.judged) for comparison in with_texts]


def chance_of_each(rehearsal: Study, *, times: int = 1, others: int = 0) -> float:
    """Return the chance of a miss that each figure gets where all are compared so many times, beside other bounds."""
    figures = 2 * rehearsal.matchups.count() * rehearsal.criteria.count()
    return MISS_CHANCE / (times * figures + others)


def compare(
    rehearsal: Study, recovered: Recovered, *, chance: float, others: Mapping[str, Expected] = MappingProxyType({})
) -> Iterator[Verdict]:
    """Set what the results say beside what the rule says of the texts, for every matchup and criterion.

    `others` says what people do, by pseudonym, who do not follow the rule.
    """
    comparisons = [comparison for comparison, _ in counted(rehearsal)]
    has_tie = rehearsal.scale != Scale.TWO
    for matchup in Matchup.objects.filter(study=rehearsal).select_related("baseline", "treatment"):
        mine = [comparison for comparison in comparisons if comparison.matchup_id == matchup.pk]
        for criterion in rehearsal.criteria.all():
            judged = [
                scores
                for comparison in mine
                for scores in recovered.judged(
                    str(comparison.code),
                    criterion.key,
                    expected_of(comparison, criterion.question, has_tie=has_tie),
                    others,
                )
            ]
            found = recovered.of(criterion.key, baseline=matchup.baseline.name, treatment=matchup.treatment.name)
            win_score = check_win_score(judged, found.score, chance)
            yield Verdict(criterion.name, str(matchup), found, win_score, check_slope(judged, chance))


def expected_of(comparison: Comparison, question: str, *, has_tie: bool) -> Expected:
    """Return the moments of a judgement of this comparison."""
    assert comparison.treatment_response
    assert comparison.baseline_response
    treatment, baseline = comparison.treatment_response.text, comparison.baseline_response.text
    return expected_score(question, treatment, baseline, has_tie=has_tie)
