"""Annotators who do not give up: a form is sent again, to either web server, until the server says it is saved.

`python -m tests.slots.stubborn PORTS HOME PEOPLE FILE PACE [SEED]` notes the code of every answer that was acknowledged
in FILE, and with a minus before it once its person asks to have it erased. PACE is the most seconds that somebody
thinks. With a seed some leave in the middle, each in a way of their own, and somebody new takes their seat.
"""

import asyncio
import os
import random
import re
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from itertools import cycle

from bench.bench_web import CONSENT, KEYS
from bench.browser import Answer, Browser, path_of, token

PATIENCE = 400
"""Attempts before an annotator gives up after all, a quarter of a second apart."""

SLOWEST_ANSWER = 60
"""Seconds: two hundred who come at once wait for each other, longer on a busy machine."""


class Whim(StrEnum):
    """What somebody does with a comparison in their hands instead of answering it."""

    VANISH = "vanish"
    COME_BACK = "come back"
    HAND_BACK = "hand back"
    WITHDRAW = "withdraw"
    ERASE = "erase"


HOW_OFTEN = {Whim.VANISH: 0.04, Whim.COME_BACK: 0.04, Whim.HAND_BACK: 0.03, Whim.WITHDRAW: 0.02, Whim.ERASE: 0.01}


class Stubborn:
    """One annotator, who knows both web servers."""

    def __init__(
        self, ports: list[int], home: str, note: Callable[[str], None], *, pace: float, seed: str, whims: bool
    ) -> None:
        self.rng, self.pace, self.whims = random.Random(seed), pace, whims
        self.ports, self.home, self.note = cycle(self.rng.sample(ports, len(ports))), home, note
        self.browser = Browser("127.0.0.1", next(self.ports))
        self.token, self.answered = "", list[str]()

    async def insist(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask until there is an answer that is no server error."""
        for _ in range(PATIENCE):
            try:
                answer = await asyncio.wait_for(ask(), SLOWEST_ANSWER)
                if answer.status < 500:
                    return answer
            except (OSError, EOFError, TimeoutError):
                await self.browser.close()
            self.browser.port = next(self.ports)
            await self.browser.close()
            await asyncio.sleep(0.25)
        raise TimeoutError("No server answers any more.")

    async def get(self, path: str) -> Answer:
        return await self.insist(lambda: self.browser.get(path))

    async def post(self, path: str, form: dict[str, str], *, htmx: bool = False) -> Answer:
        form = {"csrfmiddlewaretoken": self.token} | form
        return await self.insist(lambda: self.browser.post(path, form, htmx=htmx))

    async def take_part(self) -> bool:
        """Judge until nothing is left for this person; False if they left before."""
        path = await self.come_in()
        while "/next/" not in path:
            whim = self.whim()
            if whim in {Whim.VANISH, Whim.WITHDRAW, Whim.ERASE}:
                await self.go(whim)
                return False
            path = await (self.hand_back(path) if whim == Whim.HAND_BACK else self.judge(path, whim))
        await self.browser.close()
        return True

    def whim(self) -> Whim | None:
        if not self.whims:
            return None
        chosen = self.rng.choices([*HOW_OFTEN, None], [*HOW_OFTEN.values(), 1 - sum(HOW_OFTEN.values())])
        return chosen[0]

    async def come_in(self) -> str:
        """Consent and receive the first comparison; returns its path, or that of the page that says there is none."""
        self.token = token((await self.get(self.home)).body)
        await self.post(self.home, CONSENT)
        self.token = token((await self.get(f"{self.home}instructions/")).body)
        return await self.next()

    async def next(self) -> str:
        """Ask for a comparison: the one in hand, or another."""
        return path_of((await self.post(f"{self.home}next/", {})).headers["location"])

    async def judge(self, path: str, whim: Whim | None) -> str:
        """Answer the comparison on this page, sometimes after a while in which the browser was closed."""
        if whim == Whim.COME_BACK:
            await self.browser.close()
            path = await self.next()
        while (page := await self.get(path)).status == 409:
            # Its lease is over; it may be had again, or another one.
            path = await self.next()
        if "/next/" in path:
            return path
        await asyncio.sleep(self.rng.uniform(0, self.pace))
        return await self.submit(path, dict.fromkeys(KEYS.findall(page.body), "0"))

    async def submit(self, path: str, answers: dict[str, str]) -> str:
        """Send the answers until they are saved; returns the path of what comes next."""
        answer = await self.post(path, answers, htmx=True)
        following = answer.headers.get("hx-push-url") or answer.headers.get("hx-redirect", "")
        assert following, f"{answer.status}: {answer.body[:300]}"
        assert "saved=stale" not in following
        assert "out of date" not in answer.body
        self.answered.append(code_in(path))
        self.note(self.answered[-1])
        return path_of(following)

    async def hand_back(self, path: str) -> str:
        """Skip a comparison; a second try of the same finds that it is gone already."""
        answer = await self.post(f"{path}skip/", {})
        return path_of(answer.headers["location"]) if answer.status == 302 else await self.next()

    async def go(self, whim: Whim) -> None:
        """Leave: without a word, or by the page for it."""
        if whim == Whim.ERASE:
            self.note("\n".join(f"-{code}" for code in self.answered) or "-")
        if whim != Whim.VANISH:
            form = {"answers": "delete" if whim == Whim.ERASE else "keep"}
            answer = await self.post(f"{self.home}leave/", form)
            assert answer.headers["location"].endswith("/finish/")
        await self.browser.close()


def code_in(path: str) -> str:
    return str(re.findall(r"[0-9a-f-]{36}", path)[-1])


async def main(ports: str, home: str, people: str, file: str, pace: str, seed: str = "") -> None:
    acknowledged = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(line: str) -> None:
        os.write(acknowledged, f"{line}\n".encode())

    async def fill_seat(number: int) -> None:
        for guest in range(100):
            how = {"pace": float(pace), "seed": f"{seed}.{number}.{guest}", "whims": bool(seed)}
            if await Stubborn(list(map(int, ports.split(","))), home, note, **how).take_part():
                return

    await asyncio.gather(*(fill_seat(number) for number in range(int(people))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
