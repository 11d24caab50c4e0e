"""A rehearsal with people as they are: honest, slow, gone, and cheating. The whole flow and all checks are on."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.db import connection
from django.urls import reverse
from django.utils import timezone

from annotation.answers import BOTH_BAD
from annotation.models import Annotator, Assignment, Study
from annotation.rehearsal import books
from annotation.rehearsal.books import Book, Claim
from annotation.rehearsal.flags import reasons
from annotation.rehearsal.kinds import CHEATERS, Kind, make_crowd
from annotation.rehearsal.person import Person, World
from annotation.rehearsal.rule import CHARACTERS, Expected, guess
from annotation.rehearsal.running import chance_of_each, compare, counted
from annotation.rehearsal.setting import arrange, known_of
from annotation.rehearsal.verdict import Verdict, read_results, table
from annotation.results.quality import quality_table
from annotation.results.sample import prepare
from annotation.results.table import read_csv
from annotation.services import generation
from annotation.services.actors import Actor
from annotation.services.annotators import withdraw
from annotation.services.claiming import expire_stale
from annotation.services.exclusions import exclude_annotator
from annotation.services.exports.files import write_files
from annotation.services.rehearsals import make_rehearsal
from annotation.services.sheets import read_sheet
from annotation.services.studies import close, launch
from annotation.states import Exit

AT_ONCE = 16
"""So many take part at the same time; when one has gone, the next comes."""


@dataclass(frozen=True)
class MixedOutcome:
    """What a mixed rehearsal showed: who came, what is claimed of the places and people, and the figures."""

    study: Study
    people: tuple[Book, ...]
    claims: tuple[Claim, ...]
    raw: tuple[Verdict, ...]
    verdicts: tuple[Verdict, ...]
    csv: Path

    @property
    def holds(self) -> bool:
        figures = bool(self.verdicts) and all(verdict.holds for verdict in (*self.verdicts, *self.raw))
        return figures and all(claim.holds for claim in self.claims)

    @property
    def unfound(self) -> int:
        """How many cheaters are in the results still."""
        return sum(book.kind in CHEATERS and book.judged > 0 and not book.flags for book in self.people)

    def __str__(self) -> str:
        ending = "Everything came out as it should" if self.holds else "The rehearsal FAILED"
        return "\n".join(
            [
                *(f"{agent}: {note}." for agent, note in generation.notes_of(self.study)),
                f"Rehearsal: {len(self.people)} simulated annotators came through the pages.",
                *books.table(self.people),
                *(f"  {'yes' if claim.holds else 'NO '}  {claim.sentence}" for claim in self.claims),
                "Without those whom the checks, their pace or their answers gave away; "
                f"cheaters still among them: {self.unfound}.",
                *table(self.verdicts),
                "With everybody, for comparison. Guesses pull what is expected to a score of 0.5 and a slope of 0.",
                *table(self.raw),
                f"Behind ±: what chance alone may do, passed in 0.1 % of rehearsals at most. {ending}.",
                f"Judgements, all marked as a rehearsal: {self.csv}",
                f"Every figure: python -m annotation.results '{self.csv}'",
            ]
        )


def rehearse_mixed(
    study: Study, *, annotators: int, address: str, folder: Path, actor: Actor = None, seed: int = 1
) -> MixedOutcome:
    """Rehearse a study whose pages are served at `address` with a crowd of all kinds.

    Raises: TooFewPeople, PageRefused, and what a launch of the study would raise.
    """
    kinds = make_crowd(annotators, seed=seed)
    rehearsal = arrange(make_rehearsal(study, actor=actor), kinds, actor=actor)
    launch(rehearsal, actor=actor, now=timezone.now())
    link, known = address + reverse("annotator:landing", args=[rehearsal.code]), known_of(rehearsal)
    crowd = [
        Person(
            link,
            kind=kind,
            character=CHARACTERS[number % len(CHARACTERS)],
            seed=seed * 100_003 + number,
            known=known,
            world=World(let_time_run_out, report_return),
        )
        for number, kind in enumerate(kinds)
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        # list: the first fault of anybody is raised here.
        list(pool.map(Person.take_part, crowd))
    close(rehearsal, actor=actor, now=timezone.now())
    return conclude(rehearsal, crowd, folder / str(rehearsal.code), actor=actor)


def let_time_run_out(code: UUID) -> None:
    """Let the lease of a comparison end now, as a minute without a sign of life would."""
    try:
        theirs = Assignment.objects.filter(code=code)
        now = timezone.now()
        theirs.update(lease_until=now - timedelta(seconds=1))
        expire_stale(now=now, study_id=theirs.values_list("annotator__study", flat=True).get())
    finally:
        connection.close()


def report_return(code: UUID) -> None:
    """Let the platform report that the person with this comparison has returned their place."""
    try:
        withdraw(Annotator.objects.get(assignments__code=code).pk, now=timezone.now(), how=Exit.RETURNED)
    finally:
        connection.close()


def conclude(rehearsal: Study, crowd: list[Person], folder: Path, *, actor: Actor) -> MixedOutcome:
    """Analyse the judgements as they came and without those who gave themselves away, and say what holds."""
    raw_csv = judgements_file(rehearsal, folder / "everybody")
    people = list(books.keep(rehearsal, crowd, flags_of(rehearsal, raw_csv)))
    for book in people:
        if book.flags and book.annotator:
            exclude_annotator(book.annotator, "; ".join(book.flags), actor=actor, now=timezone.now())
    csv = judgements_file(rehearsal, folder)
    # The figures with and without those found, and the number of those found: one chance for all of them.
    chance = chance_of_each(rehearsal, times=2, others=1)
    guesses = guesses_of(rehearsal, people)
    raw, verdicts = (
        tuple(compare(rehearsal, read_results(file), chance=chance, others=guesses)) for file in (raw_csv, csv)
    )
    claims = tuple(books.claims(rehearsal, people, [n for _, n in counted(rehearsal)], chance=chance))
    return MixedOutcome(rehearsal, tuple(people), claims, raw, verdicts, csv)


def guesses_of(rehearsal: Study, people: Sequence[Book]) -> Mapping[str, Expected]:
    """Return by pseudonym what is expected of the judgements of cheaters: none of them reads the texts."""
    values = [int(value) for value in read_sheet(rehearsal.pk).rules.values() if value != BOTH_BAD]
    return {
        book.annotator.pseudonym: guess(values[:1] if book.kind == Kind.LEFT else values)
        for book in people
        if book.kind in CHEATERS and book.annotator
    }


def judgements_file(rehearsal: Study, folder: Path) -> Path:
    """Write the study's files and return the one with the judgements."""
    (csv,) = (path for path in write_files(rehearsal, folder) if path.name.endswith("judgements.csv"))
    return csv


def flags_of(rehearsal: Study, csv: Path) -> Mapping[str, list[str]]:
    """Return by pseudonym why somebody is left out, from the exported file and the checks."""
    qualities = {row.annotator: row for row in quality_table(prepare(read_csv(csv)).main)}
    return {
        name: reasons(qualities.get(name), checks_failed=failed, minimum_seconds=rehearsal.minimum_seconds)
        for name, failed in books.checks_failed(rehearsal)
    }
