"""SONA: a survey code in the link, and credit that this server grants; its token never reaches a browser."""

from collections.abc import Mapping
from urllib.parse import urlencode

from annotation.platforms.protocol import (
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

USUAL = Names("survey_code")


class Sona:
    """People come with a code of their own; at the end the server tells SONA to credit it."""

    key = "sona"
    name = "SONA"
    has_personal_codes = True

    def read_entry(self, query: Mapping[str, str], setup: Setup, verify: Verify) -> Visitor:
        code = read_id(query, setup.names(USUAL).person)
        return Visitor(self.key, code, code, batch=read_batch(query))

    def way_out(self, how: Exit, setup: Setup, code: str) -> WayOut:
        return WayOut()

    def deed_at(self, how: Exit) -> Deed | None:
        return Deed.CREDIT if how == Exit.COMPLETED else None

    def entry_query(self, setup: Setup) -> str:
        return f"enter/?{setup.names(USUAL).person}=%SURVEY_CODE%"

    def problems(self, setup: Setup) -> list[str]:
        needed = {"the host name of your SONA site": setup.sona_host, "the experiment id": setup.sona_experiment}
        found = [f"Enter {what}." for what, value in needed.items() if not value]
        if not setup.has_credit_token:
            found.append("Enter the credit token: without it nobody gets credit.")
        return require_https(setup, self.name) + found


def credit_address(base: str, *, experiment: str, token: str, survey_code: str) -> str:
    """Return the address that grants credit. It holds the token: for this server alone."""
    query = urlencode({"experiment_id": experiment, "credit_token": token, "survey_code": survey_code})
    return f"{base.rstrip('/')}/services/SonaAPI.svc/WebstudyCredit?{query}"
