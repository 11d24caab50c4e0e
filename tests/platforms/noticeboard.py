"""A noticeboard on the web, played: a page of a class or a forum on which somebody put the open link."""

from dataclasses import dataclass, field

from tests.platforms.playing import Answer, Call, PlayedPlatform, link_to, links_on, page

TRACKING = "utm_source=board&fbclid=IwAR0"


@dataclass
class Noticeboard(PlayedPlatform):
    """Everybody sees the same notice. Such sites append parameters of their own to what people put there."""

    notices: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.answer = self._answer

    def put_up(self, address: str) -> None:
        self.notices.append(f"{address}{'&' if '?' in address else '?'}{TRACKING}")

    def link(self) -> str:
        """The newest link, as the page has it."""
        return links_on(self.ask("GET", "/").text)[-1]

    def _answer(self, call: Call) -> Answer:
        return page("Notices", "".join(link_to(notice, "Take part in our study") for notice in self.notices))
