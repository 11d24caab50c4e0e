"""Annotators who do not give up: a form is sent again, to either web server, until the server says it is saved.

`python -m tests.slots.stubborn PORTS HOME PEOPLE FILE` notes the code of every answer that was acknowledged in FILE.
"""

import asyncio
import os
import random
import re
import sys
from collections.abc import Awaitable, Callable
from itertools import cycle

from bench.bench_web import CONSENT, KEYS
from bench.browser import Answer, Browser, path_of, token

PATIENCE = 400
"""Attempts before an annotator gives up after all, a quarter of a second apart."""


class Stubborn:
    """One annotator, who knows both web servers."""

    def __init__(self, ports: list[int], home: str) -> None:
        self.ports, self.home = cycle(random.sample(ports, len(ports))), home
        self.browser = Browser("127.0.0.1", next(self.ports))

    async def insist(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask until there is an answer that is no server error."""
        for _ in range(PATIENCE):
            try:
                answer = await asyncio.wait_for(ask(), 20)
                if answer.status < 500:
                    return answer
            except (OSError, EOFError, TimeoutError):
                await self.browser.close()
            self.browser.port = next(self.ports)
            await self.browser.close()
            await asyncio.sleep(0.25)
        raise TimeoutError("No server answers any more.")

    async def take_part(self, acknowledged: int) -> None:
        path = await self.come_in()
        while "/next/" not in path:
            page = await self.insist(lambda: self.browser.get(path))  # noqa: B023 - awaited at once
            form = {"csrfmiddlewaretoken": token(page.body)} | dict.fromkeys(KEYS.findall(page.body), "0")
            while path:
                await asyncio.sleep(random.uniform(0, 0.1))
                answer = await self.insist(lambda: self.browser.post(path, form, htmx=True))  # noqa: B023
                following = answer.headers.get("hx-push-url") or answer.headers.get("hx-redirect", "")
                assert following, f"{answer.status}: {answer.body[:300]}"
                assert "saved=stale" not in following
                assert "out of date" not in answer.body
                os.write(acknowledged, f"{code_in(path)}\n".encode())
                path = path_of(following)
                if "/next/" in path:
                    return

    async def come_in(self) -> str:
        """Consent and receive the first comparison; returns its path, or that of the page that says there is none."""
        page = await self.insist(lambda: self.browser.get(self.home))
        await self.insist(lambda: self.browser.post(self.home, CONSENT | {"csrfmiddlewaretoken": token(page.body)}))
        page = await self.insist(lambda: self.browser.get(f"{self.home}instructions/"))
        form = {"csrfmiddlewaretoken": token(page.body)}
        first = await self.insist(lambda: self.browser.post(f"{self.home}next/", form))
        return path_of(first.headers["location"])


def code_in(path: str) -> str:
    found = re.findall(r"[0-9a-f-]{36}", path)
    return str(found[-1])


async def main(ports: str, home: str, people: str, file: str) -> None:
    acknowledged = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    crowd = [Stubborn(list(map(int, ports.split(","))), home) for _ in range(int(people))]
    await asyncio.gather(*(one.take_part(acknowledged) for one in crowd))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
