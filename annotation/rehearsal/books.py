"""What is known of each person after a mixed rehearsal, and what must be true of all of them and of their places."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotation.checks import CheckKind
from annotation.models import Annotator, Assignment, CheckResult, Judgement, Study
from annotation.rehearsal.escapes import escape_chance, most_missed
from annotation.rehearsal.kinds import CHEATERS, EXITS, LEAVERS, Kind
from annotation.rehearsal.person import Person
from annotation.states import AssignmentState, ComparisonKind, Exit

ANSWERED = (AssignmentState.SUBMITTED, AssignmentState.SURPLUS)


@dataclass(frozen=True)
class Book:
    """One person: what they are, what the database holds of them, and for what they are left out."""

    kind: Kind
    has_acted: bool
    judged: int
    shown_code: str
    annotator: Annotator | None
    flags: tuple[str, ...]
    escape: float = 0.0
    """Of a cheater: the chance that nothing gives them away."""

    @property
    def exit(self) -> str:
        return self.annotator.exit if self.annotator else "not in"

    @property
    def exits_expected(self) -> set[str]:
        """How this part may end. Whoever had no occasion to leave ends as honest people do."""
        if self.kind in LEAVERS and self.has_acted:
            return {EXITS[self.kind]}
        return {Exit.COMPLETED} if self.judged else {Exit.QUOTA_FULL}


@dataclass(frozen=True)
class Claim:
    """Something that must be true after every rehearsal, said with its numbers."""

    sentence: str
    holds: bool


def keep(rehearsal: Study, crowd: Sequence[Person], flags: Mapping[str, Sequence[str]]) -> Iterator[Book]:
    """Put each person of the crowd beside what the database has of them."""
    stored = {annotator.code: annotator for annotator in rehearsal.annotators.all()}
    checks = _numbers(CheckResult.objects.filter(annotator__study=rehearsal), "annotator")
    counted = Judgement.objects.filter(
        assignment__annotator__study=rehearsal,
        assignment__state=AssignmentState.SUBMITTED,
        assignment__comparison__kind=ComparisonKind.MAIN,
    )
    judgements = _numbers(counted, "assignment__annotator")
    for person in crowd:
        found = stored.get(person.annotator) if person.annotator else None
        mine, pk = (tuple(flags.get(found.pseudonym, ())), found.pk) if found else ((), 0)
        escape = escape_chance(person.kind, checks=checks.get(pk, 0), judgements=judgements.get(pk, 0))
        yield Book(person.kind, person.has_acted, person.judged, person.completion_code, found, mine, escape)


def _numbers(rows: QuerySet[Any], by: str) -> dict[int, int]:
    """Count rows by annotator."""
    return dict(rows.values(by).order_by().annotate(n=Count("pk")).values_list(by, "n"))


def checks_failed(rehearsal: Study) -> list[tuple[str, int]]:
    """Return everybody's pseudonym with how many checks they failed."""
    failed = Count("check_results", filter=Q(check_results__is_passed=False))
    return list(rehearsal.annotators.annotate(failed=failed).values_list("pseudonym", "failed"))


def claims(rehearsal: Study, people: Sequence[Book], judged: Sequence[int], *, chance: float) -> Iterator[Claim]:
    """Yield what must be true, each with its numbers; `chance` is that of too few found where the checks are right."""
    k = rehearsal.judgements_per_comparison
    right = sum(n == k for n in judged)
    yield Claim(f"exactly {k} judgements of each comparison: {right} of {len(judged)}", right == len(judged))
    twice = _judged_twice(rehearsal)
    yield Claim(f"nobody's judgement counts twice: {twice} do", twice == 0)
    yield _fairness(rehearsal, people)
    yield from _finding(people, chance)
    yield _refilled(rehearsal, people)
    yield from _endings(people)


def _judged_twice(rehearsal: Study) -> int:
    """Count what one person answered more than once: a comparison, or a criterion of one."""
    answered = Assignment.objects.filter(annotator__study=rehearsal, state__in=ANSWERED)
    pairs = answered.values("annotator", "comparison").order_by().annotate(n=Count("pk")).filter(n__gt=1).count()
    judgements = Judgement.objects.filter(assignment__annotator__study=rehearsal)
    answers = judgements.values("assignment", "criterion").order_by().annotate(n=Count("pk")).filter(n__gt=1)
    return pairs + answers.count()


def _fairness(rehearsal: Study, people: Sequence[Book]) -> Claim:
    fair = [book.annotator for book in people if book.kind not in CHEATERS and book.annotator]
    theirs = CheckResult.objects.filter(annotator__in=fair)
    failed, asked = theirs.filter(is_passed=False).count(), theirs.count()
    instructed = theirs.filter(kind=CheckKind.INSTRUCTION).count()
    sentence = f"no honest person fails a check: {failed} of {asked} ({instructed} of them instructions)"
    return Claim(sentence, failed == 0 and instructed > 0)


def _finding(people: Sequence[Book], chance: float) -> Iterator[Claim]:
    cheaters = [book for book in people if book.kind in CHEATERS and book.judged]
    sure = [book for book in cheaters if not book.escape]
    found = _count(sure, lambda book: bool(book.flags))
    sentence = f"cheaters who cannot but show are all found: {found} of {len(sure)}"
    yield Claim(sentence, found == len(sure) > 0)
    guessing = [book for book in cheaters if book.escape]
    least = len(guessing) - most_missed([book.escape for book in guessing], chance)
    found = _count(guessing, lambda book: bool(book.flags))
    yield Claim(f"of those who guess at checks, {least} are found at least: {found} of {len(guessing)}", found >= least)


def _refilled(rehearsal: Study, people: Sequence[Book]) -> Claim:
    """Every place that a leaver held or gave back was judged by somebody else."""
    leavers = [book.annotator for book in people if book.kind in LEAVERS and book.annotator]
    main = Assignment.objects.filter(annotator__in=leavers, comparison__kind=ComparisonKind.MAIN)
    left = main.exclude(state__in=ANSWERED)
    judged = Assignment.objects.filter(slot=OuterRef("slot"), state=AssignmentState.SUBMITTED)
    filled = left.filter(Exists(judged.exclude(annotator=OuterRef("annotator")))).count()
    return Claim(f"places of those who left were filled by others: {filled} of {left.count()}", filled == left.count())


def _endings(people: Sequence[Book]) -> Iterator[Claim]:
    right = sum(book.exit in book.exits_expected for book in people)
    yield Claim(f"parts ended as they should: {right} of {len(people)}", right == len(people))
    codes = [book.annotator.completion_code for book in people if book.annotator and book.annotator.completion_code]
    shown = sum(book.shown_code == (book.annotator.completion_code if book.annotator else "") for book in people)
    needed = sum(book.exit not in {"", Exit.RETURNED} for book in people)
    holds = shown == len(people) and len(set(codes)) == len(codes) == needed
    yield Claim(f"codes were given where one is due, each its own: {len(codes)} of {needed}", holds)


def table(people: Sequence[Book]) -> list[str]:
    """Return a line for each kind of people."""
    lines = [f"  {'':38} people  finished  ended otherwise              judged  left out"]
    for kind in Kind:
        mine = [book for book in people if book.kind == kind]
        endings = Counter(_ending(book.exit) for book in mine if book.exit != Exit.COMPLETED)
        other = ", ".join(f"{n} {how}" for how, n in endings.most_common())
        finished = _count(mine, lambda book: book.exit == Exit.COMPLETED)
        judged, flagged = sum(book.judged for book in mine), _count(mine, lambda book: bool(book.flags))
        lines.append(f"  {kind:38} {len(mine):6}  {finished:8}  {other:27} {judged:6}  {flagged:8}".rstrip())
    return lines


def _ending(how: str) -> str:
    return {"": "gone", Exit.QUOTA_FULL: "found nothing left"}.get(how, how.replace("_", " "))


def _count(people: Sequence[Book], holds: Callable[[Book], bool]) -> int:
    return sum(holds(book) for book in people)
