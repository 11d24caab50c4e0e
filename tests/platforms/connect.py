"""CloudResearch Connect, played: a project page with ids in its link, and two addresses to come back to."""

from dataclasses import dataclass, field

from tests.platforms.playing import Answer, Call, PlayedPlatform, link_to, links_on, page

PROJECT = "J1"


@dataclass
class Connect(PlayedPlatform):
    """One project. `came_back` has the address of each return: whoever opens the first one is paid."""

    study: str = ""
    came_back: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.answer = self._answer

    @property
    def addresses(self) -> dict[str, str]:
        """What the researcher copies from the project into our settings."""
        return {name: f"{self.address}/{name.split('_')[0]}?token=abc" for name in _RETURNS}

    def publish(self, address: str) -> None:
        self.study = address

    def link_of(self, person: str) -> str:
        return links_on(self.ask("GET", f"/projects/{person}").text)[-1]

    def _answer(self, call: Call) -> Answer:
        if f"{call.path[1:]}_address" in _RETURNS:
            self.came_back.append(call.path[1:])
            return page("Welcome back", "")
        person = call.path.rpartition("/")[2]
        said = {"participantId": person, "assignmentId": f"a-{person}", "projectId": PROJECT}
        link = self.study
        for name, value in said.items():
            link = link.replace(f"{{{{{name}}}}}", value)
        return page("Project", link_to(link, "Begin"))


_RETURNS = ("completion_address", "partial_address")
