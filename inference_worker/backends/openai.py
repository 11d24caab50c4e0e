"""Any OpenAI-compatible endpoint: a served vLLM or llama.cpp, or a hosted model.

The source is `NAME` or `NAME:MODEL`. Address and key of an endpoint stand in the worker's environment alone, as
`ENDPOINT_NAME_URL` (up to and with `/v1`) and `ENDPOINT_NAME_KEY`; a batch carries the name.
Options: `concurrency` (requests at once, 8), `timeout_seconds` (of one request, 120), `tries` (5), `dialect`: `openai`
sends nothing that the original does not know, `vllm` and `llamacpp` also send what those two understand. `stream` asks
for the text token by token, so that the first one is seen (by default where the dialect is not the plain one).
"""

import json
import os
import queue
import random
import re
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from math import inf
from typing import Any

import httpx

from inference_worker import skill_form
from inference_worker.backends import Answer, Engine, EngineError, Failure, Request, check_names
from inference_worker.backends.openai_answers import Endless, Patience, read, streamed, whole
from inference_worker.prompts import TEMPLATE_VALUES, Prompt
from inference_worker.schema import ModelSpec, Sampling

DIALECTS = ("openai", "vllm", "llamacpp")
CONNECT_SECONDS = 10.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
# Timeouts, too many requests, and everything that is the server's own fault.
PASSING = frozenset({408, 425, 429})
# What both servers understand: sample by temperature and top-p alone, and tell the same date every day.
COMMON_EXTRAS = {"top_k": 0, "min_p": 0.0, "chat_template_kwargs": TEMPLATE_VALUES}


@dataclass(frozen=True)
class Endpoint:
    """Where requests go. The key is never shown."""

    name: str
    url: str
    key: str
    model: str

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def without_key(self, text: str) -> str:
        """Return a server's words, shortened and without the key, should it repeat that."""
        return (text.replace(self.key, "…") if self.key else text)[:300]


@dataclass(frozen=True)
class Limits:
    """How requests are sent."""

    concurrency: int = 8
    timeout_seconds: float = 120.0
    tries: int = 5


@dataclass(frozen=True)
class Wording:
    """How requests are put."""

    dialect: str
    streams: bool


def load(spec: ModelSpec) -> "OpenAI":
    """Find the endpoint and ask it for its models. Raises EngineError with a sentence that says what to do."""
    check_names("openai", spec.options, ("dialect", "stream", *Limits.__dataclass_fields__))
    limits, dialect = _limits(spec.options), spec.options.get("dialect", "openai")
    streams = spec.options.get("stream", dialect != "openai")
    if not isinstance(streams, bool):
        raise EngineError(f"The option stream of openai must be true or false, not {streams!r}.")
    if dialect not in DIALECTS:
        raise EngineError(f"The option dialect must be one of {', '.join(DIALECTS)}, not {dialect!r}.")
    endpoint = find_endpoint(spec.source, os.environ)
    timeout = httpx.Timeout(limits.timeout_seconds, connect=min(CONNECT_SECONDS, limits.timeout_seconds))
    pool = httpx.Limits(max_connections=limits.concurrency)
    client = httpx.Client(base_url=endpoint.url, headers=endpoint.headers(), timeout=timeout, limits=pool)
    try:
        served = _served_models(client, endpoint, Patience(time.monotonic() + limits.timeout_seconds))
        endpoint = _with_model(endpoint, served)
        backend = OpenAI(client, endpoint, limits, Wording(dialect, streams), revision=spec.revision)
        if endpoint.model not in served:
            backend.try_out(served)
        return backend
    except EngineError:
        client.close()
        raise


def find_endpoint(source: str, environment: Any) -> Endpoint:
    """Return the endpoint of a name. Raises EngineError if the environment does not know it."""
    name, _, model = source.partition(":")
    variable = "ENDPOINT_" + re.sub(r"[^A-Z0-9]+", "_", name.upper())
    url = environment.get(f"{variable}_URL", "").strip().rstrip("/")
    if not _is_address(url):
        raise EngineError(f"{variable}_URL is not set to an address: give the endpoint {name} as https://host/v1.")
    key = environment.get(f"{variable}_KEY", "").strip()
    if not re.fullmatch(r"[!-~]*", key):
        raise EngineError(f"{variable}_KEY holds a blank, a line break or another sign that no key has: set it anew.")
    return Endpoint(name, url + "/", key, model)


def _is_address(url: str) -> bool:
    try:
        found = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return False
    return found.scheme in ("http", "https") and bool(found.host)


class OpenAI:
    """An endpoint that answered."""

    def __init__(
        self, client: httpx.Client, endpoint: Endpoint, limits: Limits, wording: Wording, *, revision: str
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._limits = limits
        self._dialect = wording.dialect
        self._streams = wording.streams
        self._engine = Engine(
            name=f"openai ({endpoint.name})",
            version=wording.dialect,
            revision=revision or f"{endpoint.model}, as served",
            device="remote",
            is_reproducible=False,
        )

    @property
    def engine(self) -> Engine:
        return self._engine

    def generate(self, requests: Sequence[Request], stop: threading.Event) -> Iterator[tuple[int, Answer]]:
        """Yield answers as they come; see Backend."""
        answers: queue.Queue[tuple[int, Answer | None]] = queue.Queue()
        with ThreadPoolExecutor(self._limits.concurrency) as pool:
            for index, request in enumerate(requests):
                pool.submit(self._put_answer, index, request, stop, answers)
            for _ in requests:
                index, answer = answers.get()
                if answer is not None:
                    yield index, answer

    def try_out(self, served: Sequence[str]) -> None:
        """Ask for one token of a model that the endpoint does not list. Raises EngineError where none comes."""
        request = Request(Prompt("", "Hello."), Sampling(max_new_tokens=1), seed=0)
        answer = self._answer(request, threading.Event())
        if isinstance(answer, Failure):
            raise EngineError(
                f"The endpoint {self._endpoint.name} does not serve {self._endpoint.model}: {answer.reason} It lists "
                f"{_names(served)}. Check the address (up to and with /v1) and the name of the model."
            )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _put_answer(
        self,
        index: int,
        request: Request,
        stop: threading.Event,
        answers: "queue.Queue[tuple[int, Answer | None]]",
    ) -> None:
        try:
            answers.put((index, self._answer(request, stop)))
        except Exception as problem:
            answers.put((index, Failure(f"{self._endpoint.name} could not be asked: {problem}", can_retry=True)))

    def _answer(self, request: Request, stop: threading.Event) -> Answer | None:
        """Ask until there is an answer, the tries are used up, or the worker must stop (None)."""
        if problem := self._cannot(request):
            return Failure(problem)
        started = time.monotonic()
        failure: Failure | None = None
        for attempt in range(self._limits.tries):
            if stop.is_set():
                return None
            answer, pause = self._try(request, attempt, stop, started)
            if not isinstance(answer, Failure) or not answer.can_retry:
                return answer
            failure = answer
            if stop.is_set() or (attempt + 1 < self._limits.tries and stop.wait(pause)):
                return None
        return failure

    def _try(self, request: Request, attempt: int, stop: threading.Event, started: float) -> tuple[Answer, float]:
        pause = min(FIRST_PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311
        patience = Patience(time.monotonic() + self._limits.timeout_seconds, stop)
        try:
            with self._client.stream("POST", "chat/completions", json=self._body(request)) as response:
                if response.status_code == httpx.codes.OK:
                    return self._without_key(self._completion(response, patience, started)), pause
                refusal = self._refusal(response.status_code, read(response, patience))
                return refusal, max(pause, _retry_after(response))
        except httpx.TransportError as problem:
            reason = f"{self._endpoint.name} did not answer ({type(problem).__name__})."
            return Failure(reason, can_retry=True), pause
        except Endless as problem:
            return Failure(f"{self._endpoint.name} {problem}.", can_retry=True), pause

    def _refusal(self, status: int, body: str) -> Failure:
        words = "it leads to another address: give that one." if 300 <= status < 400 else body
        reason = f"{self._endpoint.name} answered {status}: {self._endpoint.without_key(words)}"
        return Failure(reason, can_retry=status in PASSING or status >= 500)

    def _without_key(self, answer: Answer) -> Answer:
        if isinstance(answer, Failure):
            return replace(answer, reason=self._endpoint.without_key(answer.reason))
        return answer

    def _completion(self, response: httpx.Response, patience: Patience, started: float) -> Answer:
        if self._streams:
            return streamed(self._endpoint.name, response, patience, started=started)
        return whole(self._endpoint.name, read(response, patience))

    def _cannot(self, request: Request) -> str:
        if self._dialect != "openai":
            return ""
        if request.skills:
            return "A plain OpenAI endpoint cannot force the form of a skill-of-mind: set the dialect vllm or llamacpp."
        if request.prompt.start:
            return "A plain OpenAI endpoint cannot go on from a begun answer: set the dialect vllm or llamacpp."
        return ""

    def _body(self, request: Request) -> dict[str, Any]:
        sampling = request.sampling
        body: dict[str, Any] = {
            "model": self._endpoint.model,
            "messages": request.prompt.messages(),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_new_tokens,
            "seed": request.seed,
        }
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if self._streams:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body | _EXTRAS[self._dialect](request)


def _vllm_extras(request: Request) -> dict[str, Any]:
    extras: dict[str, Any] = {**COMMON_EXTRAS, "repetition_penalty": request.sampling.repetition_penalty}
    if request.prompt.start:
        extras |= {"add_generation_prompt": False, "continue_final_message": True}
    if request.skills:
        pattern = skill_form.regex(request.skills, max_new_tokens=request.sampling.max_new_tokens)
        extras["structured_outputs"] = {"regex": pattern}
    return extras


def _llamacpp_extras(request: Request) -> dict[str, Any]:
    extras: dict[str, Any] = {**COMMON_EXTRAS, "repeat_penalty": request.sampling.repetition_penalty}
    if request.skills:
        extras["grammar"] = skill_form.gbnf(request.skills, max_new_tokens=request.sampling.max_new_tokens)
    return extras


_EXTRAS = {"openai": lambda request: {}, "vllm": _vllm_extras, "llamacpp": _llamacpp_extras}


def _with_model(endpoint: Endpoint, served: Sequence[str]) -> Endpoint:
    """Return the endpoint with a model: the named one, or the only one that it serves."""
    if endpoint.model:
        return endpoint
    if len(served) != 1:
        raise EngineError(
            f"Say which model of {endpoint.name} is meant, as {endpoint.name}:MODEL. It lists {_names(served)}."
        )
    return replace(endpoint, model=served[0])


def _names(served: Sequence[str]) -> str:
    return ", ".join(served[:10]) or "none"


def _served_models(client: httpx.Client, endpoint: Endpoint, patience: Patience) -> list[str]:
    """Return the models that the endpoint lists; nothing where it has no such list."""
    try:
        with client.stream("GET", "models") as response:
            body = read(response, patience)
    except (httpx.TransportError, httpx.InvalidURL, Endless) as problem:
        raise EngineError(
            f"The endpoint {endpoint.name} does not answer ({type(problem).__name__}): check its address and whether "
            "it runs."
        ) from problem
    if response.status_code in (401, 403):
        raise EngineError(f"The endpoint {endpoint.name} refuses the key: set the one of {endpoint.name} anew.")
    try:
        return [str(model["id"]) for model in json.loads(body)["data"]]
    except (ValueError, KeyError, TypeError):
        return []


def _retry_after(response: httpx.Response) -> float:
    """Return the seconds that the server asks to wait for, 0 where it does not say."""
    try:
        return min(float(response.headers.get("retry-after", 0)), LONGEST_PAUSE_SECONDS)
    except ValueError:
        return 0.0


def _limits(options: dict[str, Any]) -> Limits:
    given = {name: options.get(name, usual) for name, usual in asdict(Limits()).items()}
    for name, value in given.items():
        is_count = name != "timeout_seconds"
        if isinstance(value, bool) or not isinstance(value, int if is_count else int | float) or not 0 < value < inf:
            what = "whole number" if is_count else "number"
            raise EngineError(f"The option {name} of openai must be a {what} above 0, not {value!r}.")
    return Limits(**given)
