"""Which languages the annotators' pages are in."""

from django.conf import settings

SPOKEN = {code.lower(): code for code, _ in settings.LANGUAGES}


def spoken(tag: str) -> str | None:
    """Return the language of the pages that serves a language tag, a dialect by its language; None where none does."""
    return SPOKEN.get(tag.lower()) or SPOKEN.get(tag.split("-")[0].lower())
