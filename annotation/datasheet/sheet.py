"""A datasheet: every question with its answer, where that comes from, and what is still open. Pure: no Django."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from annotation.datasheet.automatic import answer_of_criterion, answer_of_study
from annotation.datasheet.facts import CriterionFacts, StudyFacts
from annotation.datasheet.questions import QUESTIONS, Fill, Question


class Origin(StrEnum):
    """Who says it: the study's records, a researcher, the two together, or nobody yet."""

    RECORDS = "records"
    RESEARCHER = "researcher"
    TOGETHER = "records and researcher"
    NOBODY = "unanswered"


@dataclass(frozen=True)
class Said:
    """What a researcher answered: the key of a choice, words of their own, or both."""

    choice: str = ""
    text: str = ""


@dataclass(frozen=True)
class Entry:
    """One question with its answer. `criterion` is None for questions about the study; `so_far` is what the records
    say to a question that a researcher has to complete."""

    question: Question
    criterion: CriterionFacts | None
    answer: str
    origin: Origin
    so_far: str = ""

    @property
    def is_answered(self) -> bool:
        return self.origin != Origin.NOBODY


type Key = tuple[str, str]


def fill_in(facts: StudyFacts, said: Mapping[Key, Said]) -> list[Entry]:
    """Answer every question that can be answered, in order; those about criteria once for each criterion.

    said: (number, criterion key or "") to what researchers said.
    """
    return list(_entries(facts, said))


def _entries(facts: StudyFacts, said: Mapping[Key, Said]) -> Iterator[Entry]:
    about_study = [question for question in QUESTIONS if not question.is_per_criterion]
    about_criteria = [question for question in QUESTIONS if question.is_per_criterion]
    for question in (each for each in about_study if each.number < "4"):
        yield _entry(question, None, answer_of_study(question.number, facts), said.get((question.number, "")))
    for criterion in facts.criteria:
        for question in about_criteria:
            recorded = answer_of_criterion(question.number, facts, criterion)
            yield _entry(question, criterion, recorded, said.get((question.number, criterion.key)))
    for question in (each for each in about_study if each.number > "4"):
        yield _entry(question, None, answer_of_study(question.number, facts), said.get((question.number, "")))


def _entry(question: Question, criterion: CriterionFacts | None, recorded: str, said: Said | None) -> Entry:
    if question.fill == Fill.AUTO:
        return Entry(question, criterion, recorded, Origin.RECORDS if recorded else Origin.NOBODY)
    words = (
        " ".join(part for part in (question.choices.get(said.choice, ""), said.text.strip()) if part) if said else ""
    )
    if not words:
        return Entry(question, criterion, "", Origin.NOBODY, so_far=recorded)
    if recorded:
        return Entry(question, criterion, f"{words} {recorded}", Origin.TOGETHER, so_far=recorded)
    return Entry(question, criterion, words, Origin.RESEARCHER)


def numbers_of(entries: list[Entry], origin: Origin) -> list[str]:
    """Return the numbers of the questions that are, for every criterion, answered from there."""
    others = {entry.question.number for entry in entries if entry.origin != origin}
    return [number for number in dict.fromkeys(e.question.number for e in entries) if number not in others]


def open_numbers(entries: list[Entry]) -> list[str]:
    """Return the numbers of the questions that somebody still has to answer, for one criterion at least."""
    return list(dict.fromkeys(entry.question.number for entry in entries if not entry.is_answered))
