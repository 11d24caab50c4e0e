"""Pearmut: every annotator has a task of their own; a save and the call for the next item are one operation.

Its program serves on every address of the machine, so its application is served here by the same server on loopback.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.browser import Answer, Browser
from bench.peers import Peer

CAMPAIGN = "pairs"
# What one person may answer before the task is over: more than anyone manages in a run.
LEAST_TASK = 60
CONTEXT = "A: I start the new job on Monday and cannot sleep. B: What worries you most? A: That I forget every name."
REPLIES = {"first": "That is common. Write names down after each talk.", "second": "You will do fine, do not worry."}


def prepare(folder: Path, annotators: int, comparisons: int) -> None:
    """Write the campaign and everybody's empty progress, as its command that adds a campaign does."""
    task = max(comparisons // annotators, LEAST_TASK)
    item = [{"src": CONTEXT, "tgt": REPLIES}]
    users = [user(number) for number in range(annotators)]
    campaign = {
        "campaign_id": CAMPAIGN,
        "token": "bench",
        "info": {"assignment": "task-based", "protocol": "DA"},
        "data": {name: [item] * task for name in users},
    }
    empty: dict[str, Any] = {"progress": [False] * task, "progress_welcome": [], "progress_goodbye": []}
    empty |= {"time_start": None, "time_end": None, "time": 0, "token_correct": "y", "token_incorrect": "n"}
    for name in ("campaigns", "progress", "annotations", "outputs"):
        (folder / "data" / name).mkdir(parents=True)
    (folder / "data/campaigns" / f"{CAMPAIGN}.json").write_text(json.dumps(campaign))
    (folder / "data/progress" / f"{CAMPAIGN}.json").write_text(json.dumps(dict.fromkeys(users, empty)))


def user(number: int) -> str:
    return f"user-{number}"


def command(programs: Path, port: int) -> Sequence[str]:
    server = ["-m", "uvicorn", "pearmut.app:app", "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    return [str(programs / "python"), *server]


class PearmutWorker:
    """Somebody with Pearmut's page open."""

    def __init__(self, port: int, number: int) -> None:
        self.browser = Browser("127.0.0.1", port)
        self.who = {"campaign_id": CAMPAIGN, "user_id": user(number)}
        self.item: Any = None

    async def come_in(self) -> None:
        await self.next()

    async def next(self) -> bool:
        answer = await self.post("/get-next-item", self.who)
        page = json.loads(answer.body) if answer.status == 200 else {}
        self.item = page.get("info", {}).get("item_i")
        return page.get("status") == "ok"

    async def answer(self) -> bool:
        """Save both scores and ask for the next item."""
        now = time.time()
        judged = {name: {"score": 60, "error_spans": []} for name in REPLIES}
        payload = {"annotation": [judged], "actions": [{"time": now - 4, "action": "load"}, {"time": now}]}
        saved = await self.post("/log-response", self.who | {"item_i": self.item, "payload": payload})
        return saved.status == 200 and await self.next()

    async def post(self, path: str, content: dict[str, Any]) -> Answer:
        return await self.browser.send("POST", path, json.dumps(content), {"Content-Type": "application/json"})

    async def close(self) -> None:
        await self.browser.close()


PEER = Peer("pearmut", "pearmut", "1.1.6", prepare, command, PearmutWorker, "PEARMUT_ROOT")
