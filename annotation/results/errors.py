"""What can be wrong with ratings given to us, each as a sentence for the person who gave them."""

from collections.abc import Iterable

from annotation.errors import DuologueError


class ResultsError(DuologueError):
    """Ratings or settings that cannot be analysed; `user_message` says what is wrong, where, and what to do."""


class EmptyTable(ResultsError):
    """There is no row to analyse."""


class MissingColumns(ResultsError):
    """The header lacks columns the analysis needs."""

    def __init__(self, missing: Iterable[str], found: Iterable[str]) -> None:
        super().__init__(
            f"The header lacks {_listed(missing)}; it has {_listed(found) or 'no names'}. "
            "Rename the columns (or check that commas separate them) and try again."
        )


class RepeatedColumn(ResultsError):
    """Two columns have the same name, so it is not known which one counts."""


class UnreadableFile(ResultsError):
    """Not a comma-separated UTF-8 text, or not a file we know."""


class UnwritableFile(ResultsError):
    """The results cannot be written where they should go."""


class BadRow(ResultsError):
    """One row is wrong; `place` names it: "Line 17" of a file (the header is line 1) or "Row 16" of columns."""

    def __init__(self, problem: str, place: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.problem = problem
        self.place = place


class BadSetting(ResultsError):
    """A setting is outside what the analysis can do."""


class UnknownAnnotator(ResultsError):
    """Someone was to be left out who gave no rating."""


class NoFiniteEstimate(ResultsError):
    """A model's likelihood has no maximum; the message says why."""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name or "(no name)" for name in names)
