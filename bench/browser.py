"""A browser with no more in it than a load test needs: one connection, cookies, forms. Costs about 0.2 ms a request."""

import asyncio
import re
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Answer(NamedTuple):
    """What a server sent back; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: str


class Browser:
    """One person's browser: a kept connection and a cookie jar of its own."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.cookies: dict[str, str] = {}
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def get(self, path: str) -> Answer:
        return await self.send("GET", path)

    async def post(self, path: str, form: dict[str, str], *, htmx: bool = False) -> Answer:
        """Send a form; as htmx does it where asked: with the token in the form and the headers of a swap."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if htmx:
            headers |= {"HX-Request": "true", "HX-Target": "work", "HX-Current-URL": f"http://{self.host}{path}"}
        return await self.send("POST", path, urlencode(form), headers)

    async def send(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Answer:
        """Send one request and read the answer; a connection that the server closes is opened again for the next."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        request = "\r\n".join([*lines, "", body]).encode()
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        assert self.reader is not None
        self.writer.write(request)
        answer = await self._read(self.reader)
        if answer.headers.get("connection", "").lower() == "close":
            await self.close()
        return answer

    async def _read(self, reader: asyncio.StreamReader) -> Answer:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in head[1:-2]:
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                cookie, _, content = value.strip().partition(";")[0].partition("=")
                self.cookies[cookie] = content
            headers[name.lower()] = value.strip()
        body = await self._read_body(reader, headers)
        return Answer(int(head[0].split()[1]), headers, body.decode())

    async def _read_body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await reader.readexactly(int(headers.get("content-length", "0")))
        parts = []
        while size := int(await reader.readline(), 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readexactly(2)
        return b"".join(parts)

    async def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None


def token(page: str) -> str:
    """Return the CSRF token of the page's form."""
    found = _TOKEN.search(page)
    assert found, "The page has no form."
    return found[1]


def path_of(address: str) -> str:
    """Return the path of an address, without host and query."""
    return urlsplit(address).path
