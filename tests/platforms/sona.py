"""SONA, played: students find a study with a code of their own in its link, and get credit when its server says so."""

from dataclasses import dataclass, field

from tests.platforms.playing import Answer, Call, PlayedPlatform, link_to, links_on, page

EXPERIMENT, TOKEN = "7", "sesame"


@dataclass
class Sona(PlayedPlatform):
    """One experiment. A code is credited once, for whoever knows the experiment's token."""

    study: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    credited: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.answer = self._answer

    def publish(self, address: str) -> None:
        self.study = address

    def link_of(self, student: str) -> str:
        return links_on(self.ask("GET", f"/students/{student}").text)[-1]

    def _answer(self, call: Call) -> Answer:
        if call.path == "/services/SonaAPI.svc/WebstudyCredit":
            return self._credit(call.query)
        student = call.path.rpartition("/")[2]
        code = self.codes.setdefault(student, str(48213 + len(self.codes)))
        return page("Studies", link_to(self.study.replace("%SURVEY_CODE%", code), "View study website"))

    def _credit(self, said: dict[str, str]) -> Answer:
        is_ours = (said.get("experiment_id"), said.get("credit_token")) == (EXPERIMENT, TOKEN)
        code = said.get("survey_code", "")
        if not is_ours or code not in self.codes.values() or code in self.credited:
            return self._say("E")
        self.credited.append(code)
        return self._say("G")

    def _say(self, status: str) -> Answer:
        text = f"<WebstudyCreditResult><a:credit_status>{status}</a:credit_status></WebstudyCreditResult>"
        return Answer(200, text, {"Content-Type": "text/xml"})
