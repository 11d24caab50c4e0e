"""Which step of a study a person is at: decided from what the study asks and what they have done. Pure: no Django.

Every page leads to the step that this module names, so a reload, an old tab or another device ends at the right place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from annotation.states import Exit


class Step(StrEnum):
    """The way through a study, in its order. Consent comes before it, since nobody is known before."""

    DEVICE = "device"
    INSTRUCTIONS = "instructions"
    COMPREHENSION = "comprehension"
    TRAINING = "training"
    MAIN = "main"
    CLOSING = "closing"
    END = "end"


BEFORE_MAIN = (Step.DEVICE, Step.INSTRUCTIONS, Step.COMPREHENSION, Step.TRAINING)


@dataclass(frozen=True)
class Flow:
    """What a study asks besides the main part.

    comprehension, training, closing: how many questions, comparisons, questions there are; 0 leaves the step out.
    training_needed: how many training comparisons must be answered as expected; None: feedback, but no rule.
    """

    checks_device: bool = False
    has_instructions: bool = True
    comprehension: int = 0
    attempts: int = 2
    training: int = 0
    training_needed: int | None = None
    closing: int = 0

    def has(self, step: Step) -> bool:
        """Whether the study has this step at all."""
        sizes = {
            Step.DEVICE: self.checks_device,
            Step.INSTRUCTIONS: self.has_instructions,
            Step.COMPREHENSION: self.comprehension,
            Step.TRAINING: self.training,
            Step.CLOSING: self.closing,
        }
        return bool(sizes.get(step, True))


@dataclass(frozen=True)
class Progress:
    """What a person has done: steps that are simply passed, and how each attempt or training comparison went."""

    passed: frozenset[Step] = frozenset()
    comprehension: Sequence[bool] = field(default=())
    training: Sequence[bool] = field(default=())
    exit: str = ""
    is_admitted: bool = False
    is_main_over: bool = False
    judged: int = 0


def lead(flow: Flow, progress: Progress) -> Step:
    """Return the step at which this person belongs now. Who was let into the main part is never sent back."""
    if progress.exit:
        return Step.END
    if not progress.is_admitted:
        for step in BEFORE_MAIN:
            if flow.has(step) and not _is_done(step, flow, progress):
                return step
    if not progress.is_main_over:
        return Step.MAIN
    if flow.has(Step.CLOSING) and progress.judged and Step.CLOSING not in progress.passed:
        return Step.CLOSING
    return Step.END


def _is_done(step: Step, flow: Flow, progress: Progress) -> bool:
    if step == Step.COMPREHENSION:
        return any(progress.comprehension)
    if step == Step.TRAINING:
        return len(progress.training) >= flow.training and not _misses_training(flow, progress)
    return step in progress.passed


def failure(flow: Flow, progress: Progress) -> Exit | None:
    """Return the exit of a person who cannot go on; None for everybody else.

    Training ends as soon as its rule cannot be met any more: nobody works on for nothing.
    """
    if progress.is_admitted:
        return None
    tried = progress.comprehension
    if flow.comprehension and len(tried) >= flow.attempts and not any(tried):
        return Exit.FAILED_COMPREHENSION
    return Exit.FAILED_TRAINING if flow.training and _misses_training(flow, progress) else None


def _misses_training(flow: Flow, progress: Progress) -> bool:
    missed = sum(not right for right in progress.training)
    return flow.training_needed is not None and missed > flow.training - flow.training_needed


def attempts_left(flow: Flow, progress: Progress) -> int:
    """Return how often the comprehension questions may still be answered."""
    return max(flow.attempts - len(progress.comprehension), 0)


def names_of_steps(flow: Flow) -> list[Step]:
    """Return the steps that this study has, in order, the end left out."""
    return [step for step in Step if step != Step.END and flow.has(step)]
