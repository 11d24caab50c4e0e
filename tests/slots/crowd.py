"""Simulated annotators who call the services from processes of their own, and what must hold when they are done."""

import multiprocessing
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connections
from django.utils import timezone

from annotation.answers import Answer
from annotation.models import Annotator, Assignment, Judgement, Slot, Study
from annotation.services.annotators import Held, enrol, find_standing, withdraw
from annotation.services.sheets import read_sheet
from annotation.services.slots import NoWork, Reason, claim_next, release, submit_and_claim
from annotation.states import AssignmentState, Side

# How often an annotator in the middle of a comparison is away until the lease is over, never comes back, hands the
# comparison back, or withdraws and erases.
DAWDLES, VANISHES, HANDS_BACK, WITHDRAWS = 0.05, 0.05, 0.02, 0.003


def at_once(count, work):
    """Run `work(number)` in so many threads that start together; return what they returned."""
    barrier = threading.Barrier(count)

    def begin(number):
        try:
            barrier.wait()
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


@dataclass
class Member:
    """One simulated annotator."""

    code: UUID
    held: Held | None = None
    is_gone: bool = False


class Crowd:
    """Annotators who take turns in one process, each step one of their requests."""

    def __init__(self, study: Study, size: int, *, aborts: bool, seed: int) -> None:
        self.study, self.aborts, self.rng = study, aborts, random.Random(seed)
        self.sheet = read_sheet(study.pk)
        self.members = [Member(self.join()) for _ in range(size)]

    def join(self) -> UUID:
        return enrol(self.study, consent_version=self.study.consent_version, now=timezone.now()).code

    def run(self, *, until: float) -> None:
        """Go on until everybody is told that all is done, or time is over."""
        while at_work := [member for member in self.members if not member.is_gone]:
            if time.monotonic() > until:
                raise TimeoutError("The crowd did not finish.")
            for member in self.rng.sample(at_work, len(at_work)):
                self.step(member)

    def step(self, member: Member) -> None:
        standing = find_standing(self.study.code, member.code)
        assert standing
        if member.held is None:
            self.take(member, claim_next(standing, now=timezone.now()))
        elif self.aborts and self.rng.random() < DAWDLES:
            self.end_lease(member)
        elif self.aborts and self.rng.random() < VANISHES:
            self.end_lease(member)
            self.replace(member)
        elif self.aborts and self.rng.random() < HANDS_BACK:
            release(standing, member.held.code)
            member.held = None
        elif self.aborts and self.rng.random() < WITHDRAWS:
            withdraw(standing.annotator_id, now=timezone.now(), erase=True)
            self.replace(member)
        else:
            answers = {criterion: Answer(self.rng.choice(["-1", "0", "1"])) for criterion in self.sheet.criterion_ids}
            done = submit_and_claim(standing, member.held.code, answers, self.sheet, now=timezone.now())
            self.take(member, done.following)

    def take(self, member: Member, got: Held | NoWork) -> None:
        member.held = got if isinstance(got, Held) else None
        if isinstance(got, NoWork):
            assert got.reason in {Reason.ALL_DONE, Reason.OTHERS_HOLD, Reason.QUOTA_REACHED}, got
            if got.reason == Reason.OTHERS_HOLD:
                time.sleep(0.05)
            elif got.reason == Reason.QUOTA_REACHED:
                self.replace(member)
            else:
                member.is_gone = True

    def end_lease(self, member: Member) -> None:
        """Let the time pass in which nothing is heard of a member."""
        held = Assignment.objects.filter(code=member.held.code, state=AssignmentState.CLAIMED)
        held.update(lease_until=timezone.now() - timedelta(seconds=1))

    def replace(self, member: Member) -> None:
        """Somebody new takes the seat of one who does not come back."""
        member.code, member.held = self.join(), None


def work_in_processes(study: Study, *, processes: int, each: int, aborts: bool, seconds: float) -> None:
    """Let `processes` crowds of `each` annotators judge the study at the same time, and re-raise what fails."""
    connections.close_all()
    context = multiprocessing.get_context("fork")
    crowds = [
        context.Process(target=_work, args=(study, each, aborts, seed, time.monotonic() + seconds), daemon=True)
        for seed in range(processes)
    ]
    for crowd in crowds:
        crowd.start()
    for crowd in crowds:
        crowd.join()
    assert [crowd.exitcode for crowd in crowds] == [0] * processes


def _work(study: Study, size: int, aborts: bool, seed: int, until: float) -> None:
    connections.close_all()
    Crowd(study, size, aborts=aborts, seed=seed).run(until=until)


def assert_complete(study: Study) -> None:
    """Exactly k judgements of k people for each comparison, sides as planned, nobody twice, nothing left over."""
    k = study.judgements_per_comparison
    submitted = Assignment.objects.filter(annotator__study=study, state=AssignmentState.SUBMITTED)
    pairs = list(submitted.values_list("comparison_id", "annotator_id", "slot__treatment_side"))
    counts = Counter(comparison for comparison, _, _ in pairs)
    assert counts == dict.fromkeys(study.comparisons.values_list("pk", flat=True), k)
    assert len({(comparison, annotator) for comparison, annotator, _ in pairs}) == len(pairs)
    sides = Counter((comparison, side) for comparison, _, side in pairs)
    assert all(abs(sides[c, Side.LEFT] - sides[c, Side.RIGHT]) == k % 2 for c in counts)
    assert not Slot.objects.filter(study=study, is_open=True).exists()
    assert not Assignment.objects.filter(annotator__study=study, state=AssignmentState.CLAIMED).exists()
    judgements = Judgement.objects.filter(assignment__annotator__study=study)
    surplus = Assignment.objects.filter(annotator__study=study, state=AssignmentState.SURPLUS).count()
    assert judgements.count() == (len(pairs) + surplus) * study.criteria.count()
    assert Annotator.objects.filter(study=study, submitted_count__gt=study.quota_per_annotator).count() == 0
