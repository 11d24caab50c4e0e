"""What every platform can do, and the values that pass between it and the rest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit

from annotation.errors import DuologueError, gettext_noop
from annotation.states import Exit

LONGEST_ID = 200
"""No platform's id is nearly as long."""

BATCH_PARAMETER = "batch"
"""What a researcher appends to a link whose platform sends no id of the study."""

ENDS_ELSEWHERE = frozenset({Exit.RETURNED, Exit.TIMED_OUT})
"""Exits that the platform reports: nobody needs a code to go back there."""


class BadEntry(DuologueError):
    """The link did not bring what the platform's link must bring."""

    user_message = gettext_noop(
        "This link is not complete. Please open the study again from the place where you found it."
    )


class Visitor(NamedTuple):
    """A person as the platform's link names them. `is_signed`: nobody else can have made the link.

    `submission` is the platform's id of this one participation; `submit_to` is where Mechanical Turk wants the end;
    `batch` is the platform's id of the study that sent them, or the word that stands in the link for it.
    """

    platform: str
    person: str
    submission: str = ""
    is_signed: bool = False
    submit_to: str = ""
    batch: str = ""


class WayOut(NamedTuple):
    """Where a person goes at the end: a link to follow, a code to copy, both or neither.

    `asks_to_return`: the platform knows no code for this exit, so the person gives the place back there.
    """

    address: str = ""
    code: str = ""
    asks_to_return: bool = False


class Deed(StrEnum):
    """What has to be told to a platform, after the data is stored."""

    CREDIT = "credit"
    TRANSITION = "transition"


class Names(NamedTuple):
    """Names of the parameters in a platform's link."""

    person: str
    submission: str = ""
    study: str = ""


@dataclass(frozen=True)
class Setup:
    """What a researcher says about one study on one platform; empty names mean the platform's usual ones."""

    id_parameter: str = ""
    submission_parameter: str = ""
    study_parameter: str = ""
    platform_study_id: str = ""
    requires_signed_entry: bool = False
    token_parameter: str = ""
    audience: str = ""
    completion_address: str = ""
    partial_address: str = ""
    return_address: str = ""
    sona_host: str = ""
    sona_experiment: str = ""
    has_credit_token: bool = False
    is_https: bool = True
    codes: Mapping[Exit, str] = field(default_factory=dict)

    def names(self, usual: Names) -> Names:
        """Return the names of the parameters: the researcher's, else the platform's usual ones."""
        return Names(
            self.id_parameter or usual.person,
            self.submission_parameter or usual.submission,
            self.study_parameter or usual.study,
        )


type Verify = Callable[[str], Mapping[str, Any]]
"""Checks a signed entry and returns its claims. Raises: BadEntry."""


class Platform(Protocol):
    """One way in which people come to a study and leave it again."""

    key: str
    name: str
    has_personal_codes: bool
    """Whether each person gets a code of their own, so that a code passed on is noticed."""

    def read_entry(self, query: Mapping[str, str], setup: Setup, verify: Verify) -> Visitor:
        """Return who comes. Raises: BadEntry with a sentence for this person."""

    def way_out(self, how: Exit, setup: Setup, code: str) -> WayOut:
        """Return where somebody goes whose part ended like this and who was given this code."""

    def deed_at(self, how: Exit) -> Deed | None:
        """Return what must be told to the platform when somebody's part ends like this."""

    def entry_query(self, setup: Setup) -> str:
        """Return what follows the study's address in the link that the researcher pastes into the platform."""

    def problems(self, setup: Setup) -> list[str]:
        """Return, in sentences, what is missing before people can come through this platform."""


def read_id(query: Mapping[str, str], name: str) -> str:
    """Return one id of a link. Raises: BadEntry where it is missing, too long, or a template that was not filled in."""
    value = query.get(name, "").strip()
    if not value or len(value) > LONGEST_ID or not value.isprintable() or value.startswith(("{{", "%", "${")):
        raise BadEntry()
    return value


def read_batch(query: Mapping[str, str], study_parameter: str = "") -> str:
    """Return the batch that a link names: in so many words, else by the platform's id of the study; "" for none."""
    value = (query.get(BATCH_PARAMETER) or query.get(study_parameter) or "").strip()
    return value if len(value) <= LONGEST_ID and value.isprintable() else ""


def require_https(setup: Setup, platform: str) -> list[str]:
    """Return the sentence that a platform's link must be https, where it is not."""
    if setup.is_https:
        return []
    return [f"{platform} sends people over https alone. Serve this site under https and set HTTPS=1."]


def is_https_address(address: str) -> bool:
    """Whether a text is a whole https address."""
    parts = read_address(address)
    return parts.scheme == "https" and bool(parts.hostname)


def read_address(address: str) -> SplitResult:
    """Return the parts of an address; empty ones where it is none at all, such as https://[."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")
