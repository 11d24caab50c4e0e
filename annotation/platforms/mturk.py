"""Amazon Mechanical Turk: a frame on the worker's page, the work in a tab of its own, a form that the frame sends."""

from collections.abc import Mapping

from annotation.platforms.protocol import (
    Deed,
    Names,
    Setup,
    Verify,
    Visitor,
    WayOut,
    read_address,
    read_batch,
    read_id,
    require_https,
)
from annotation.states import Exit

USUAL = Names("workerId", "assignmentId", "hitId")
SUBMIT_TO = "turkSubmitTo"
TOKEN = "t"  # noqa: S105 - the name of a parameter
PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"


class MechanicalTurk:
    """The frame is told who works; the way out is the frame, too."""

    key = "mturk"
    name = "Mechanical Turk"
    has_personal_codes = False

    def read_entry(self, query: Mapping[str, str], setup: Setup, verify: Verify) -> Visitor:
        if token := query.get(TOKEN):
            said = verify(token)
            return Visitor(
                self.key, said["person"], said["submission"], submit_to=said["submit_to"], batch=said["batch"]
            )
        names = setup.names(USUAL)
        submit_to = query.get(SUBMIT_TO, "")
        person, submission = read_id(query, names.person), read_id(query, names.submission)
        return Visitor(self.key, person, submission, submit_to=submit_to, batch=read_batch(query, names.study))

    def way_out(self, how: Exit, setup: Setup, code: str) -> WayOut:
        # The frame has the form, with the code in it.
        return WayOut()

    def deed_at(self, how: Exit) -> Deed | None:
        return None

    def entry_query(self, setup: Setup) -> str:
        return "hit/"

    def problems(self, setup: Setup) -> list[str]:
        return require_https(setup, self.name)


def read_preview(query: Mapping[str, str], setup: Setup) -> Visitor:
    """Return somebody of whom only the task is known: a preview names no worker."""
    return Visitor(MechanicalTurk.key, "", batch=read_batch(query, setup.names(USUAL).study))


def is_preview(query: Mapping[str, str]) -> bool:
    """Whether somebody only looks at the task: nothing may be claimed for them."""
    return query.get(USUAL.submission, PREVIEW) == PREVIEW


def submit_address(submit_to: str, allowed: frozenset[str]) -> str:
    """Return where the frame's form goes; "" for any host that is not Amazon's."""
    parts = read_address(submit_to)
    if parts.scheme != "https" or parts.netloc not in allowed:
        return ""
    return f"https://{parts.netloc}/mturk/externalSubmit"
