"""A mail server, played: it sends a list of invitations and keeps a box for each person, with a page to read it."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.platforms.playing import Answer, Call, PlayedPlatform, link_to, links_on, page


@dataclass
class Postbox(PlayedPlatform):
    """Boxes of people, by name. Whoever has a letter can send it on; no link can be told from a copy of it."""

    boxes: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self):
        self.answer = self._answer

    def send(self, send_list: str, people: Sequence[str]) -> None:
        """Write to each person with the next link of the list that still waits for somebody."""
        waiting = [row["link"] for row in csv.DictReader(io.StringIO(send_list)) if row["state"] == "waiting"]
        for person, link in zip(people, waiting, strict=False):
            self.boxes.setdefault(person, []).append(link)

    def forward(self, giver: str, taker: str) -> None:
        """Send the newest letter on to somebody else."""
        self.boxes.setdefault(taker, []).append(self.boxes[giver][-1])

    def link_of(self, person: str) -> str:
        """The link in a person's newest letter, as their mail page has it."""
        return links_on(self.ask("GET", f"/{person}").text)[-1]

    def _answer(self, call: Call) -> Answer:
        letters = self.boxes.get(call.path.strip("/"))
        if letters is None:
            return page("Nobody has this box", "", status=404)
        return page("Letters", "".join(link_to(link, "Take part in our study") for link in letters))
