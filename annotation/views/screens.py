"""Draw the rating page. What cannot change is drawn once per process; a request fills in the rest.

The pair of texts and the unanswered questions make up nearly the whole page, and neither changes after the launch, so
they are kept as finished HTML, bounded in number, for each language of the interface.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.loader import get_template, render_to_string
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from annotation.answers import BOTH_BAD, Answer, AnswerRules, Problem, strength
from annotation.checks import FIELD, CheckItem
from annotation.services.annotators import Held, Message
from annotation.services.faces import Face, Pair, read_pair
from annotation.services.sheets import Question
from annotation.services.slots import ONE_MORE
from annotation.views.one_more import draw_item
from annotation.views.skeletons import Skeleton


@dataclass(frozen=True)
class Screen:
    """All that one rating page shows to one annotator."""

    face: Face
    held: Held
    questions: list[Question]
    rules: AnswerRules
    answers: Mapping[int, Answer]
    problems: Mapping[int, Problem]
    note: str
    is_change: bool
    can_change: bool
    is_shown: bool
    item: CheckItem | None = None
    chosen: str = ""
    sure: int | None = None
    message: Message | None = None

    def render(self, request: HttpRequest, *, is_part: bool) -> str:
        """Return the page, or the part of it that htmx swaps."""
        language = get_language() or "en"
        pair = draw_pair(self.held.comparison_id, language)
        if is_part and self._is_fresh() and not pair.warning:
            replies = pair.replies(is_flipped=self.held.is_flipped)
            return self._fill(request, language, {"story": pair.story, "replies": replies})
        return self._draw(request, language, is_part=is_part)

    def _draw(self, request: HttpRequest, language: str, *, is_part: bool) -> str:
        """Draw the page anew."""
        pair = draw_pair(self.held.comparison_id, language)
        waits = bool(pair.warning) and not self.is_shown
        context = {
            "face": self.face,
            "home": self.face.home,
            "code": self.held.code,
            "number": self.held.number,
            "done": self.held.number - 1,
            "total": max(self.face.comparisons, self.held.number),
            "minutes_left": self.face.minutes(max(self.face.comparisons - self.held.number + 1, 1)),
            "warning": pair.warning if waits else "",
            "story": pair.story,
            "replies": pair.replies(is_flipped=self.held.is_flipped),
            "questions": "" if waits else self._draw_questions(language),
            "one_more": "" if waits else self._draw_item(),
            "sure": self.sure,
            "questions_count": len(self.questions) + bool(self.item),
            "answered": sum(bool(answer.value) for answer in self.answers.values()) + bool(self.item and self.chosen),
            "note": self.note,
            "message": self.message,
            "missing": len(self.problems),
            "first_missing": next((q.key for q in self.questions if q.id in self.problems), FIELD),
            "last_key": last_key(self.rules),
            "has_zero": self.rules.offers_both_bad,
            "is_change": self.is_change,
            "can_change": self.can_change,
            "lease_seconds": int((self.held.lease_until - timezone.now()).total_seconds()),
        }
        return str(
            get_template("annotator/rate.html#work" if is_part else "annotator/rate.html").render(context, request)
        )

    def _is_fresh(self) -> bool:
        """Whether nothing but the comparison sets this page apart from others: the usual answer to a submit."""
        return not (self.answers or self.problems or self.note or self.is_change or self.item or self.message)

    def _fill(self, request: HttpRequest, language: str, texts: dict[str, SafeString]) -> str:
        """Fill in the page that is drawn once for all comparisons."""
        total = max(self.face.comparisons, self.held.number)
        skeleton = draw_skeleton(self.face, tuple(self.questions), self.rules, total, self.can_change, language)
        values = {
            "code": self.held.code,
            "number": localize(self.held.number),
            "done": self.held.number - 1,
            "minutes_left": localize(self.face.minutes(total - self.held.number + 1)),
            "lease_seconds": int((self.held.lease_until - timezone.now()).total_seconds()),
            "csrf_token": get_token(request),
        }
        return skeleton.fill(values | texts)

    def _draw_item(self) -> str:
        if self.item is None:
            return ""
        return draw_item(self.item, chosen=self.chosen, is_missing=ONE_MORE in self.problems)

    def _draw_questions(self, language: str) -> SafeString:
        if self.answers or self.problems:
            return draw_questions(self.questions, self.rules, self.answers, self.problems)
        return draw_open_questions(tuple(self.questions), self.rules, language)


_FILLED_IN = ["story", "replies", "code", "number", "done", "minutes_left", "lease_seconds", "csrf_token"]


@lru_cache(maxsize=512)
def draw_skeleton(
    face: Face, questions: tuple[Question, ...], rules: AnswerRules, total: int, can_change: bool, language: str
) -> Skeleton:
    """Return the part of the rating page that htmx swaps, untouched by any answer, without its comparison."""
    context = {
        "face": face,
        "home": face.home,
        "total": total,
        "questions": draw_open_questions(questions, rules, language),
        "questions_count": len(questions),
        "answered": 0,
        "can_change": can_change,
        "last_key": last_key(rules),
    }
    return Skeleton("annotator/rate.html#work", context, _FILLED_IN)


class DrawnPair(NamedTuple):
    """A comparison as HTML: the dialogue, and the replies in either order."""

    story: SafeString
    straight: SafeString
    flipped: SafeString
    warning: str

    def replies(self, *, is_flipped: bool) -> SafeString:
        return self.flipped if is_flipped else self.straight


@lru_cache(maxsize=4096)
def draw_pair(comparison_id: int, language: str) -> DrawnPair:
    """Return the comparison as HTML. One entry serves both orders, so that a process soon has what is asked for."""
    pair = read_pair(comparison_id, is_flipped=False)
    story, straight = draw_texts(pair, language)
    return DrawnPair(story, straight, draw_responses(pair.swapped(), language), pair.content_warning)


def draw_texts(pair: Pair, language: str) -> tuple[SafeString, SafeString]:
    """Return the dialogue and the two responses as HTML; the language is that of the words around them."""
    story = render_to_string("annotator/_story.html", {"pair": pair, "language": language})
    return story, draw_responses(pair, language)


def draw_responses(pair: Pair, language: str) -> SafeString:
    """Return the two responses as HTML."""
    drawn = _responses_skeleton(pair.language, language)
    return mark_safe(drawn.fill({"left": escape(pair.left), "right": escape(pair.right)}))  # noqa: S308 - escaped here


@lru_cache(maxsize=512)
def _responses_skeleton(text_language: str, language: str) -> Skeleton:
    return Skeleton("annotator/_responses.html", {"text_language": text_language}, ["left", "right"])


def draw_exercise(
    pair: Pair, question: Question, rules: AnswerRules, *, is_missing: bool = False
) -> dict[str, SafeString]:
    """Return the parts of a training comparison, which has the look of the rating page and one question."""
    story, replies = draw_texts(pair, get_language() or "en")
    problems = {question.id: Problem.MISSING} if is_missing else {}
    return {"story": story, "replies": replies, "questions": draw_questions([question], rules, {}, problems)}


@lru_cache(maxsize=512)
def draw_open_questions(questions: tuple[Question, ...], rules: AnswerRules, language: str) -> SafeString:
    """Return the questions of an untouched page as HTML."""
    return draw_questions(questions, rules, {}, {})


def draw_questions(
    questions: list[Question] | tuple[Question, ...],
    rules: AnswerRules,
    answers: Mapping[int, Answer],
    problems: Mapping[int, Problem],
) -> SafeString:
    """Return the questions as HTML, with what was chosen and what is wrong."""
    options = make_options(rules)
    rows = [
        {
            "question": question,
            "answer": answers.get(question.id, Answer("")),
            "problem": sentence(problems.get(question.id)),
            "is_about_reason": problems.get(question.id) in {Problem.REASON_NEEDED, Problem.REASON_TOO_LONG},
        }
        for question in questions
    ]
    context = {
        "rows": rows,
        "options": options,
        "asks_reason": rules.asks_reason,
        "needs_reason": bool(rules.reason_from_strength),
        "size": _SIZES[len(options)],
    }
    return render_to_string("annotator/_questions.html", context)


_SIZES = {
    2: "two",
    3: "three",
    4: "four",
    5: "five graded",
    6: "six graded",
    7: "seven graded",
    8: "eight graded",
}


class Option(NamedTuple):
    """One choice of a question: what is sent, the key that picks it, its words, whether a reason goes with it."""

    value: str
    key: str
    side: str
    grade: str
    asks_reason: bool


def make_options(rules: AnswerRules) -> list[Option]:
    """Return the choices in screen order: keys 1, 2, … from left to right, and 0 for "both are bad"."""
    return [
        Option(
            value=value,
            key="0" if value == BOTH_BAD else str(n),
            side=side_words(value),
            grade=grade_words(value, rules.scale),
            asks_reason=rules.asks_reason and strength(value) >= (rules.reason_from_strength or 0),
        )
        for n, value in enumerate(rules.values(), start=1)
    ]


def last_key(rules: AnswerRules) -> int:
    """Return the highest digit that picks a choice; 0 stands apart."""
    return sum(value != BOTH_BAD for value in rules.values())


def side_words(value: str) -> str:
    """Return which side a choice names."""
    if value == BOTH_BAD:
        return _("Both bad")
    if int(value) == 0:
        return _("About the same")
    return _("Left") if int(value) < 0 else _("Right")


def grade_words(value: str, scale: str) -> str:
    """Return how much better the side is, on a graded scale."""
    words = {"five": [_("a bit better"), _("much better")], "seven": [_("a bit better"), _("better"), _("much better")]}
    return words[scale][strength(value) - 1] if scale in words and strength(value) else ""


def sentence(problem: Problem | None) -> str:
    """Say what to do about an answer that is not taken."""
    sentences = {
        Problem.MISSING: _("Please choose one answer."),
        Problem.UNKNOWN: _("Please choose one of the answers shown."),
        Problem.REASON_NEEDED: _("Please write a few words about why: the study asks for it with so clear a choice."),
        Problem.REASON_TOO_LONG: _("Please shorten this to 2,000 characters."),
    }
    return sentences[problem] if problem else ""
