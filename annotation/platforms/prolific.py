"""Prolific: ids in the link, a code for each outcome in the address that leads back. See docs/platforms.md."""

from collections.abc import Mapping
from urllib.parse import urlencode

from annotation.errors import gettext_noop
from annotation.platforms.protocol import (
    ENDS_ELSEWHERE,
    BadEntry,
    Deed,
    Names,
    Setup,
    Verify,
    Visitor,
    WayOut,
    read_batch,
    read_id,
    require_https,
)
from annotation.states import Exit

USUAL = Names("PROLIFIC_PID", "SESSION_ID", "STUDY_ID")
TOKEN_PARAMETER = "prolific_token"  # noqa: S105 - the name of a parameter
CLAIM = "prolific"


class Prolific:
    """People come with three ids, signed or not, and go back with the code of their outcome."""

    key = "prolific"
    name = "Prolific"
    has_personal_codes = False

    def read_entry(self, query: Mapping[str, str], setup: Setup, verify: Verify) -> Visitor:
        token = query.get(setup.token_parameter or TOKEN_PARAMETER, "")
        if setup.requires_signed_entry and not token:
            raise BadEntry(
                gettext_noop("This study needs Prolific's signed link. Please open it again from your Prolific page.")
            )
        if not token:
            return self._visitor(query, setup, is_signed=False)
        claim = verify(token).get(CLAIM)
        if not isinstance(claim, Mapping):
            raise BadEntry()
        said = {str(name): value for name, value in claim.items() if isinstance(value, str)}
        if any(name in said and said[name] != value for name, value in query.items()):
            raise BadEntry()
        return self._visitor(said, setup, is_signed=True)

    def _visitor(self, said: Mapping[str, str], setup: Setup, *, is_signed: bool) -> Visitor:
        names = setup.names(USUAL)
        if setup.platform_study_id and read_id(said, names.study) != setup.platform_study_id:
            raise BadEntry(
                gettext_noop("This link belongs to another study. Please open it again from your Prolific page.")
            )
        person, submission = read_id(said, names.person), read_id(said, names.submission)
        return Visitor(self.key, person, submission, is_signed, batch=read_batch(said, names.study))

    def way_out(self, how: Exit, setup: Setup, code: str) -> WayOut:
        if how in ENDS_ELSEWHERE:
            return WayOut()
        if not code:
            return WayOut(asks_to_return=True)
        return WayOut(address=f"{setup.return_address}?{urlencode({'cc': code})}", code=code)

    def deed_at(self, how: Exit) -> Deed | None:
        return None

    def entry_query(self, setup: Setup) -> str:
        names = setup.names(USUAL)
        return "enter/?" + "&".join(
            f"{name}={{{{%{usual}%}}}}" for name, usual in zip(names, USUAL, strict=True) if name
        )

    def problems(self, setup: Setup) -> list[str]:
        found = require_https(setup, self.name)
        if setup.requires_signed_entry and not setup.audience:
            found.append("Say for which domain Prolific signs its links (audience), or do without signed links.")
        if Exit.COMPLETED not in setup.codes:
            found.append("Enter the completion code of Prolific for the exit “completed”.")
        return found
