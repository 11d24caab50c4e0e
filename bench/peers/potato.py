"""Potato: the page saves the answers, asks to go on, and loads the next page: three requests, one operation."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.browser import Answer, Browser
from bench.peers import Peer

CRITERIA = ("naturalness", "engagingness", "prosociality")
PAIR = (
    "A: I start the new job on Monday and cannot sleep. B: What worries you most? A: That I forget every name. "
    "LEFT: That is common. Write names down after each talk. RIGHT: You will do fine, do not worry."
)
INSTANCE = re.compile(r'name="instance_id"[^>]*value="([^"]+)"')


def prepare(folder: Path, annotators: int, comparisons: int) -> None:
    """Write the items and the configuration: three questions of three answers, anyone may come in."""
    (folder / "data").mkdir()
    lines = (json.dumps({"id": f"pair-{number}", "text": PAIR}) for number in range(comparisons))
    (folder / "data/items.jsonl").write_text("\n".join(lines))
    schemes = [
        {"annotation_type": "radio", "name": name, "description": f"{name}?", "labels": ["left", "same", "right"]}
        for name in CRITERIA
    ]
    configuration = {
        "annotation_task_name": "Pairs",
        "task_dir": ".",
        "output_annotation_dir": "annotations",
        "output_annotation_format": "json",
        "data_files": ["data/items.jsonl"],
        "item_properties": {"id_key": "id", "text_key": "text"},
        "user_config": {"allow_all_users": True, "users": []},
        "require_password": False,
        "annotations_per_instance": max(annotators, 3),
        "annotation_schemes": schemes,
        "site_dir": "default",
    }
    # Whatever is JSON is YAML.
    (folder / "config.yaml").write_text(json.dumps(configuration, indent=1))


def command(programs: Path, port: int) -> Sequence[str]:
    return [str(programs / "potato"), "start", "config.yaml", "-p", str(port), "--host", "127.0.0.1"]


class PotatoWorker:
    """Somebody with Potato's page open."""

    def __init__(self, port: int, number: int) -> None:
        self.browser, self.name = Browser("127.0.0.1", port), f"user-{number}"
        self.instance = ""

    async def come_in(self) -> None:
        await self.browser.post("/auth", {"email": self.name, "pass": ""})
        await self.next()

    async def next(self) -> bool:
        page = await self.browser.get("/annotate")
        found = INSTANCE.search(page.body)
        is_new = bool(found) and found[1] != self.instance if found else False
        self.instance = found[1] if found else ""
        return is_new

    async def answer(self) -> bool:
        """Save three answers, go on, and load the next page."""
        answers = {f"{name}:left": "left" for name in CRITERIA}
        content = {"instance_id": self.instance, "annotations": answers, "span_annotations": []}
        saved = await self.post("/updateinstance", content, {})
        moved = await self.post("/annotate", {"action": "next_instance"}, {"X-Potato-Navigation": "1"})
        return saved.status == 200 and moved.status == 200 and await self.next()

    async def post(self, path: str, content: dict[str, Any], headers: dict[str, str]) -> Answer:
        headers = {"Content-Type": "application/json", **headers}
        return await self.browser.send("POST", path, json.dumps(content), headers)

    async def close(self) -> None:
        await self.browser.close()


PEER = Peer("potato", "potato-annotation", "2.12.1", prepare, command, PotatoWorker)
