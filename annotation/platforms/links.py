"""An open link, and personal invitations: people without a platform."""

from collections.abc import Mapping

from annotation.platforms.protocol import BadEntry, Deed, Setup, Verify, Visitor, WayOut, read_batch, read_id
from annotation.states import Exit

INVITATION_PARAMETER = "invitation"


class OpenLink:
    """One link for everybody. Nobody is known, so a browser is all that tells two people apart."""

    key = "open"
    name = "Open link"
    has_personal_codes = True

    def read_entry(self, query: Mapping[str, str], setup: Setup, verify: Verify) -> Visitor:
        return Visitor(self.key, "", batch=read_batch(query))

    def way_out(self, how: Exit, setup: Setup, code: str) -> WayOut:
        return WayOut(code=code)

    def deed_at(self, how: Exit) -> Deed | None:
        return None

    def entry_query(self, setup: Setup) -> str:
        return ""

    def problems(self, setup: Setup) -> list[str]:
        return []


class Invitations(OpenLink):
    """Links of which each is for one person; the service has checked the signature before it asks."""

    key = "invitation"
    name = "Personal invitations"

    def read_entry(self, query: Mapping[str, str], setup: Setup, verify: Verify) -> Visitor:
        claims = verify(read_id(query, INVITATION_PARAMETER))
        if not claims.get("code"):
            raise BadEntry()
        return Visitor(self.key, str(claims["code"]), is_signed=True, batch=read_batch(query))

    def entry_query(self, setup: Setup) -> str:
        return f"enter/?{INVITATION_PARAMETER}=…"
