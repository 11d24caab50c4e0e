"""Any order of claims, drafts, answers, expiries, withdrawals, pauses and the close, checked against a model."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from annotation.answers import Answer
from annotation.models import Annotator, Assignment, Judgement, Slot
from annotation.services import studies
from annotation.services.annotators import Held, enrol, erase_judgements, find_standing, withdraw
from annotation.services.sheets import read_sheet
from annotation.services.slots import (
    NoWork,
    Reason,
    Receipt,
    claim_next,
    expire_stale,
    heartbeat,
    release,
    save_draft,
    submit_and_claim,
)
from annotation.states import AssignmentState, Side
from tests.build import make_collection, make_criteria, make_dialogue, make_matchup, make_response, make_study

LEASE = timedelta(minutes=10)


@dataclass
class Place:
    """The model's slot: open, held by an annotator, or filled by one."""

    comparison: int
    dialogue: int
    side: Side
    held_by: int | None = None
    filled_by: int | None = None

    @property
    def is_open(self) -> bool:
        return self.held_by is None and self.filled_by is None


@dataclass
class Person:
    """The model's annotator. `late` holds expired comparisons that may still be answered."""

    annotator: object
    hand: Held | None = None
    lease_until: object = None
    answered: list[Held] = field(default_factory=list)
    late: dict[object, Held] = field(default_factory=dict)
    barred: set[int] = field(default_factory=set)
    counted: int = 0
    balance: int = 0
    last_dialogue: int | None = None
    has_left: bool = False


class SlotMachine(RuleBasedStateMachine):
    """The services on the database, beside a model in plain Python."""

    @initialize(k=st.integers(1, 3), dialogues=st.integers(1, 3), matchups=st.integers(1, 2), quota=st.integers(1, 4))
    def launch(self, k, dialogues, matchups, quota):
        self.now = timezone.now()
        collection = make_collection()
        self.study = make_study(
            collections=[collection], judgements_per_comparison=k, quota_per_annotator=quota, lease_minutes=10
        )
        make_criteria(self.study)
        contexts = [make_dialogue(collection=collection) for _ in range(dialogues)]
        for _ in range(matchups):
            matchup = make_matchup(self.study)
            for dialogue in contexts:
                make_response(dialogue, matchup.baseline)
                make_response(dialogue, matchup.treatment)
        studies.prepare_comparisons(self.study)
        studies.launch(self.study, actor=None, now=self.now)
        self.quota, self.state = quota, "running"
        self.sheet = read_sheet(self.study.pk)
        self.answers = {criterion: Answer("-1") for criterion in self.sheet.criterion_ids}
        self.places = {
            slot.pk: Place(slot.comparison_id, slot.dialogue_id, Side(slot.treatment_side))
            for slot in Slot.objects.filter(study=self.study)
        }
        self.people: list[Person] = []

    def standing(self, person):
        return find_standing(self.study.code, person.annotator.code)

    def slot_of(self, held):
        return Assignment.objects.values_list("slot_id", flat=True).get(pk=held.assignment_id)

    def pick(self, number):
        return self.people[number % len(self.people)]

    # What the model expects.

    def eligible(self, person):
        """Open places that this person may still judge."""
        return {pk: p for pk, p in self.places.items() if p.is_open and p.comparison not in person.barred}

    def free(self, person, *, may_return):
        """Take what a person holds out of their hand."""
        slot = self.slot_of(person.hand)
        self.places[slot].held_by = None
        if may_return:
            person.barred.discard(person.hand.comparison_id)
            person.late[person.hand.code] = person.hand
        person.hand = None

    def expire_due(self):
        for person in self.people:
            if person.hand and person.lease_until < self.now:
                self.free(person, may_return=True)

    def why_nothing(self, person):
        """Why a person gets nothing whatever is open; in a paused study whoever has done it all waits for nothing."""
        if person.has_left:
            return Reason.LEFT
        if self.state == "closed":
            return Reason.CLOSED
        if person.counted >= self.quota:
            return Reason.QUOTA_REACHED
        return Reason.PAUSED if self.state == "paused" else None

    def check_claimed(self, person, got, *, is_fresh):
        """Compare what a person got with what the model allows, and take it over."""
        if why := self.why_nothing(person):
            assert got == NoWork(why)
            return
        if isinstance(got, NoWork):
            assert not self.eligible(person)
            self.check_why(person, got)
            return
        slot = self.slot_of(got)
        place = self.places[slot]
        assert place.is_open
        assert place.comparison not in person.barred
        if got.code not in person.late:
            self.check_choice(person, place)
        else:
            assert not is_fresh
        place.held_by = id(person)
        person.late.pop(got.code, None)
        person.hand, person.lease_until = got, self.now + LEASE
        person.barred.add(got.comparison_id)

    def check_why(self, person, got):
        held = [p for p in self.people if p.hand and p.hand.comparison_id not in person.barred]
        if held:
            minutes = -(-(min(p.lease_until for p in held) - self.now) // timedelta(minutes=1))
            assert got == NoWork(Reason.OTHERS_HOLD, max(1, minutes))
        else:
            assert got == NoWork(Reason.ALL_DONE)

    def check_choice(self, person, place):
        choices = self.eligible(person).values()
        others = [p for p in choices if p.dialogue != person.last_dialogue]
        if others:
            assert place.dialogue != person.last_dialogue
        pool = others or list(choices)
        wanted = Side.RIGHT if person.balance > 0 else Side.LEFT
        if person.balance and any(p.side == wanted for p in pool):
            assert place.side == wanted

    def count(self, person, held):
        person.counted += 1
        person.balance += 1 if held.treatment_side == Side.LEFT else -1
        person.last_dialogue = held.dialogue_id
        person.answered.append(held)

    # What can happen.

    @rule(claims_at_once=st.booleans(), seed=st.integers(0, 1000))
    @precondition(lambda self: self.state == "running" and len(self.people) < 6)
    def join(self, claims_at_once, seed):
        annotator = enrol(self.study, consent_version=self.study.consent_version, now=self.now)
        # A seed that the test knows makes a failure repeat.
        Annotator.objects.filter(pk=annotator.pk).update(seed=seed)
        self.people.append(Person(annotator))
        if claims_at_once:
            self.claim(len(self.people) - 1)

    @rule(number=st.integers(0, 5))
    @precondition(lambda self: self.people)
    def claim(self, number):
        person = self.pick(number)
        got = claim_next(self.standing(person), now=self.now)
        if person.hand and not person.has_left:
            assert got == person.hand._replace(lease_until=got.lease_until, draft=got.draft)
            return
        if not isinstance(got, Held) or not self.took_up_again(person, got):
            self.expire_after_search(person, got)
        self.check_claimed(person, got, is_fresh=False)

    def took_up_again(self, person, got):
        return got.code in person.late

    def expire_after_search(self, person, got):
        """A claim that finds nothing ends the leases that are over and looks again."""
        searched = self.state == "running" and not person.has_left and person.counted < self.quota
        if not searched or not self.eligible(person):
            self.expire_due()

    @rule(number=st.integers(0, 5))
    @precondition(lambda self: any(person.hand for person in self.people))
    def submit(self, number):
        holders = [person for person in self.people if person.hand]
        person = holders[number % len(holders)]
        held = person.hand
        done = submit_and_claim(self.standing(person), held.code, self.answers, self.sheet, now=self.now)
        assert done.receipt == Receipt.SAVED
        place = self.places[self.slot_of(held)]
        place.held_by, place.filled_by = None, id(person)
        person.hand = None
        self.count(person, held)
        self.after_answer(person, done)

    def after_answer(self, person, done):
        if isinstance(done.following, NoWork) or not self.eligible(person):
            self.expire_due()
        self.check_claimed(person, done.following, is_fresh=False)

    @rule(number=st.integers(0, 5))
    @precondition(lambda self: any(person.late for person in self.people))
    def submit_late(self, number):
        latecomers = [person for person in self.people if person.late]
        person = latecomers[number % len(latecomers)]
        held = next(iter(person.late.values()))
        place = self.places[self.slot_of(held)]
        had = person.hand
        done = submit_and_claim(self.standing(person), held.code, self.answers, self.sheet, now=self.now)
        if person.has_left or held.comparison_id in person.barred or person.counted >= self.quota:
            assert done.receipt == Receipt.STALE
        else:
            is_in_time = place.is_open and self.state != "closed"
            assert done.receipt == (Receipt.SAVED if is_in_time else Receipt.SURPLUS)
            if is_in_time:
                place.filled_by = id(person)
            del person.late[held.code]
            person.barred.add(held.comparison_id)
            self.count(person, held)
            if person.counted >= self.quota and person.hand:
                self.free(person, may_return=True)
        if person.hand:
            assert done.following.code == had.code
        else:
            if isinstance(done.following, Held) and done.following.code not in person.late:
                if not self.eligible(person):
                    self.expire_due()
            elif isinstance(done.following, NoWork):
                self.expire_due()
            self.check_claimed(person, done.following, is_fresh=False)

    @rule(number=st.integers(0, 5))
    @precondition(lambda self: any(person.answered for person in self.people))
    def submit_again(self, number):
        people = [person for person in self.people if person.answered]
        person = people[number % len(people)]
        before = Judgement.objects.filter(assignment__annotator__study=self.study).count()
        done = submit_and_claim(self.standing(person), person.answered[0].code, self.answers, self.sheet, now=self.now)
        assert done.receipt in {Receipt.REPEATED, Receipt.STALE}
        assert Judgement.objects.filter(assignment__annotator__study=self.study).count() == before
        if not person.hand:
            if isinstance(done.following, NoWork) or (
                done.following.code not in person.late and not self.eligible(person)
            ):
                self.expire_due()
            self.check_claimed(person, done.following, is_fresh=False)

    @rule(number=st.integers(0, 5), keeps_draft=st.booleans())
    @precondition(lambda self: any(person.hand for person in self.people))
    def keep(self, number, keeps_draft):
        holders = [person for person in self.people if person.hand]
        person = holders[number % len(holders)]
        standing, code = self.standing(person), person.hand.code
        draft = {"naturalness": "1"}
        until = (
            save_draft(standing, code, draft, now=self.now) if keeps_draft else heartbeat(standing, code, now=self.now)
        )
        assert until == self.now + LEASE
        person.lease_until = until

    @rule(number=st.integers(0, 5))
    @precondition(lambda self: any(person.hand for person in self.people))
    def hand_back(self, number):
        holders = [person for person in self.people if person.hand]
        person = holders[number % len(holders)]
        assert release(self.standing(person), person.hand.code)
        person.last_dialogue = person.hand.dialogue_id
        self.free(person, may_return=False)

    @rule(minutes=st.sampled_from([1, 6, 11]), sweeps=st.booleans())
    def wait(self, minutes, sweeps):
        self.now += timedelta(minutes=minutes)
        if sweeps:
            expire_stale(now=self.now)
            self.expire_due()

    @rule(number=st.integers(0, 5), erases=st.booleans())
    @precondition(lambda self: self.people)
    def leave(self, number, erases):
        person = self.pick(number)
        withdraw(person.annotator.pk, now=self.now)
        if person.hand:
            self.free(person, may_return=False)
        person.late.clear()
        person.has_left = True
        if erases:
            erase_judgements(person.annotator.pk)
            person.answered.clear()
            for place in self.places.values():
                if place.filled_by == id(person):
                    place.filled_by = None

    @rule()
    @precondition(lambda self: self.state in {"running", "paused"})
    def pause_or_resume(self):
        (studies.pause if self.state == "running" else studies.resume)(self.study, actor=None)
        self.state = "paused" if self.state == "running" else "running"

    @rule()
    @precondition(lambda self: self.state in {"running", "paused"} and len(self.people) > 3)
    def close(self):
        studies.close(self.study, actor=None, now=self.now)
        self.state = "closed"
        for person in self.people:
            if person.hand:
                self.free(person, may_return=True)

    # What always holds.

    @invariant()
    def the_database_agrees_with_the_model(self):
        if not hasattr(self, "places"):
            return
        live = Assignment.objects.filter(annotator__study=self.study)
        held = dict(live.filter(state=AssignmentState.CLAIMED).values_list("slot_id", "annotator_id"))
        filled = dict(live.filter(state=AssignmentState.SUBMITTED).values_list("slot_id", "annotator_id"))
        names = {id(person): person.annotator.pk for person in self.people}
        assert held == {pk: names[p.held_by] for pk, p in self.places.items() if p.held_by}
        assert filled == {pk: names[p.filled_by] for pk, p in self.places.items() if p.filled_by}
        if self.state != "closed":
            opened = set(Slot.objects.filter(study=self.study, is_open=True).values_list("pk", flat=True))
            assert opened == {pk for pk, place in self.places.items() if place.is_open}


@pytest.mark.django_db
def test_slots_follow_the_model_in_any_order_of_events():
    run_state_machine_as_test(
        SlotMachine,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
