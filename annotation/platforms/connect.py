"""CloudResearch Connect: a redirect for real completions alone, and an address of its own for partial ones."""

from collections.abc import Mapping

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
    is_https_address,
    read_batch,
    read_id,
    require_https,
)
from annotation.states import Exit

USUAL = Names("participantId", "assignmentId", "projectId")


class Connect:
    """People come with three ids under names that the researcher can choose."""

    key = "connect"
    name = "CloudResearch Connect"
    has_personal_codes = False

    def read_entry(self, query: Mapping[str, str], setup: Setup, verify: Verify) -> Visitor:
        names = setup.names(USUAL)
        if setup.platform_study_id and read_id(query, names.study) != setup.platform_study_id:
            raise BadEntry(
                gettext_noop("This link belongs to another study. Please open it again from your Connect dashboard.")
            )
        person, submission = read_id(query, names.person), read_id(query, names.submission)
        return Visitor(self.key, person, submission, batch=read_batch(query, names.study))

    def way_out(self, how: Exit, setup: Setup, code: str) -> WayOut:
        if how in ENDS_ELSEWHERE:
            return WayOut()
        if how == Exit.COMPLETED:
            # With a redirect the code is not asked for; without one it is typed.
            return WayOut(address=setup.completion_address, code="" if setup.completion_address else code)
        return WayOut(address=setup.partial_address, asks_to_return=not setup.partial_address)

    def deed_at(self, how: Exit) -> Deed | None:
        return None

    def entry_query(self, setup: Setup) -> str:
        names = setup.names(USUAL)
        return "enter/?" + "&".join(f"{name}={{{{{usual}}}}}" for name, usual in zip(names, USUAL, strict=True) if name)

    def problems(self, setup: Setup) -> list[str]:
        found = require_https(setup, self.name)
        for what, address in (("completion", setup.completion_address), ("partial", setup.partial_address)):
            if address and not is_https_address(address):
                found.append(f"The {what} address must be a whole address that begins with https://.")
        if not setup.completion_address and Exit.COMPLETED not in setup.codes:
            found.append("Enter Connect's redirect address for completions, or a completion code that people type.")
        if setup.completion_address and setup.completion_address == setup.partial_address:
            found.append("The address for partial completes must differ: Connect pays whoever opens the first one.")
        return found
