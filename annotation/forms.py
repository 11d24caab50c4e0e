"""Reading what annotators' pages send; the rules of valid answers are in annotation.answers."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from annotation.answers import REASON_LIMIT, Answer
from annotation.services.flows import Asked
from annotation.services.invitations import LONGEST_DAYS, MOST_AT_ONCE
from annotation.services.sheets import Sheet
from annotation.services.slots import Timing

LONGEST_DAY_MS = 24 * 60 * 60 * 1000
LONGEST_VALUE = 20
"""No choice has so long a value: nothing longer is kept, not even in a draft."""


class ConsentForm(forms.Form):
    """Consent is a deed: both boxes start empty."""

    adult = forms.BooleanField(error_messages={"required": _("Please confirm that you are 18 or older.")})
    agree = forms.BooleanField(error_messages={"required": _("Please tick that you have read this page and agree.")})
    consent_version = forms.CharField(widget=forms.HiddenInput)


class InvitationsForm(forms.Form):
    """How many invitations to make, and for how long they are good."""

    number = forms.IntegerField(min_value=1, max_value=MOST_AT_ONCE, initial=10)
    days = forms.IntegerField(min_value=1, max_value=LONGEST_DAYS, initial=30)


class WordsForm(forms.Form):
    """A few words to the researchers. PostgreSQL stores no NUL, and CharField refuses it in words."""

    text = forms.CharField(max_length=4000, error_messages={"required": _("Please write a few words first.")})


def read_answers(data: QueryDict, sheet: Sheet) -> dict[int, Answer]:
    """Return what was chosen for each criterion; criteria without a choice are left out."""
    found = {
        question.id: Answer(
            value=_text(data, question.key, limit=LONGEST_VALUE),
            reason=_text(data, f"{question.key}-reason", limit=REASON_LIMIT + 1),
        )
        for question in sheet.questions
    }
    return {key: answer for key, answer in found.items() if answer.value or answer.reason}


def _text(data: QueryDict, name: str, *, limit: int) -> str:
    """Return a field as people see it: PostgreSQL stores no NUL, and a line break counts as one character."""
    return (data.get(name) or "").replace("\x00", "").replace("\r\n", "\n")[:limit]


def read_option(data: QueryDict, asked: Asked) -> int | None:
    """Return the number of the chosen option, from 1; None where none was chosen or it does not exist."""
    number = _number(data.get(f"q{asked.id}"))
    return number if number and number <= len(asked.options) else None


def read_asked(data: QueryDict, asked: Asked) -> str:
    """Return the words of an answer: those of the chosen option, or what was written."""
    if asked.options:
        number = read_option(data, asked)
        return asked.options[number - 1] if number else ""
    return _text(data, f"q{asked.id}", limit=REASON_LIMIT).strip()


def read_short(data: QueryDict, name: str) -> str:
    """Return a choice as it was sent, cut to the length of the longest one."""
    return _text(data, name, limit=LONGEST_VALUE)


def read_sure(data: QueryDict) -> int | None:
    """Return the time spent before the person was asked whether they are sure; None if they were not asked."""
    return _number(data.get("sure"))


def read_timing(data: QueryDict) -> Timing:
    """Return what the page says about the time spent; nonsense counts as not said."""
    return Timing(_number(data.get("active_ms")), _number(data.get("blurs")))


def _number(text: str | None) -> int | None:
    if not text or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return min(int(text), LONGEST_DAY_MS)


def as_draft(answers: Mapping[int, Answer]) -> dict[str, Any]:
    """Turn answers into what an assignment keeps as its draft."""
    return {str(key): list(answer) for key, answer in answers.items()}


def from_draft(draft: Mapping[str, Any]) -> dict[int, Answer]:
    return {int(key): Answer(*value) for key, value in draft.items() if key.isdigit()}
