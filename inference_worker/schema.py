"""The contract between the web side and the GPU workers: what a batch asks for and what comes back.

Standard library only. Both sides import this module and nothing else of each other. Messages are JSON: a payload is
`to_json(value)` and `from_json(Type, message)` builds it again, refusing what does not fit.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

SCHEMA_VERSION = 1

THINK = "think"
RESPOND = "respond"

# How a think text is read: `explanation [RESULT SKILL] skill`, or all explanation.
READ_SKILL_OF_MIND = "skill_of_mind"
READ_RATIONALE = "rationale"

# Celery task names: the worker's, and those of the default queue that take its messages.
GENERATE_TASK = "inference_worker.generate"
RECORD_TASK = "annotation.record"
ALIVE_TASK = "annotation.alive"
DEFAULT_QUEUE = "default"
RESULTS_QUEUE = "results"

# The taxonomy of conversational skills (arXiv 2411.04496). It travels in every recipe; both sides name skills by it.
SKILLS = (
    "Empathy",
    "Personal Background",
    "Persona Recall",
    "Self-disclosure",
    "Negotiation",
    "Conflict Resolution",
    "Conflict Avoidance",
    "Persuasion",
    "Memory Recall",
    "Topic Transition",
    "Ethics",
    "Harmlessness",
    "Helpfulness",
    "Avoiding Social Bias",
    "Cultural Sensitivity",
    "Commonsense Understanding",
    "Rhetoric",
    "Preference Elicitation",
    "Knowledge Sharing",
    "Knowledge Acquisition",
    "Knowledge Searching",
    "Active Listening",
    "Factual Problem Solving",
    "Logical Thinking",
    "Critical Thinking",
    "Creative Problem Solving",
    "Immediate Response",
    "Rephrasing",
    "Echoing",
    "Mentoring",
    "Reflective Listening",
    "Image-Sharing",
    "Image-Commenting",
    "Recommendation",
    "Task Execution",
    "Urgency Recognition",
    "Clarification",
    "Confirmation",
    "Decision-making",
)


# Which skill stands in which of the five categories is this project's reading; the paper names the categories only.
SKILL_CATEGORIES: dict[str, tuple[str, ...]] = {
    "Interpersonal": (
        "Empathy",
        "Personal Background",
        "Persona Recall",
        "Self-disclosure",
        "Negotiation",
        "Conflict Resolution",
        "Conflict Avoidance",
        "Persuasion",
        "Ethics",
        "Harmlessness",
        "Avoiding Social Bias",
        "Cultural Sensitivity",
    ),
    "Memory & Knowledge Management": (
        "Memory Recall",
        "Commonsense Understanding",
        "Knowledge Sharing",
        "Knowledge Acquisition",
        "Knowledge Searching",
    ),
    "Cognitive & Problem-Solving": (
        "Factual Problem Solving",
        "Logical Thinking",
        "Critical Thinking",
        "Creative Problem Solving",
        "Decision-making",
    ),
    "Communication & Listening": (
        "Topic Transition",
        "Rhetoric",
        "Active Listening",
        "Immediate Response",
        "Rephrasing",
        "Echoing",
        "Reflective Listening",
        "Image-Sharing",
        "Image-Commenting",
        "Clarification",
        "Confirmation",
    ),
    "Task-Oriented": (
        "Helpfulness",
        "Preference Elicitation",
        "Mentoring",
        "Recommendation",
        "Task Execution",
        "Urgency Recognition",
    ),
}
CATEGORY_OF = {skill: category for category, skills in SKILL_CATEGORIES.items() for skill in skills}


class SchemaError(ValueError):
    """A message does not have the agreed shape."""


def model_queue(slug: str) -> str:
    """Return the name of the queue that workers serving this model read."""
    return f"model.{slug}"


@dataclass(frozen=True)
class ModelSpec:
    """Which model a batch is for; a worker refuses a batch for a model that it does not serve."""

    slug: str
    backend: str
    source: str
    revision: str = ""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sampling:
    """How text is drawn: temperature 0 is greedy; `max_new_tokens` counts tokens of the model; penalty 1 is none."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_new_tokens: int = 128
    stop: tuple[str, ...] = ()
    repetition_penalty: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """One prompt and one way of sampling, shared by many items. Templates hold `{social_context}` `{dialogue}` …

    `skill_grammar` forces the form of a skill-of-mind with a skill of `skills`; `reads` tells how a think text is read.
    """

    stage: str
    system: str
    user: str
    sampling: Sampling
    skill_grammar: bool = False
    skills: tuple[str, ...] = ()
    reads: str = READ_SKILL_OF_MIND


@dataclass(frozen=True)
class Turn:
    """One utterance of a dialogue."""

    speaker: str
    text: str


@dataclass(frozen=True)
class Item:
    """One unit of work. `token` is the attempt: a record without it is not accepted."""

    unit: int
    token: str
    recipe: str
    seed: int
    social_context: str
    turns: tuple[Turn, ...]
    next_speaker: str
    explanation: str = ""
    skill: str = ""


@dataclass(frozen=True)
class Batch:
    """What a worker gets: a model, the recipes by key, and the items to do."""

    id: str
    model: ModelSpec
    recipes: dict[str, Recipe]
    items: tuple[Item, ...]
    version: int = SCHEMA_VERSION


@dataclass(frozen=True)
class Provenance:
    """What a reviewer needs to repeat one generation.

    `milliseconds` is wall time from batch start to the end of this text, `first_token_milliseconds` to its first
    token (0 where the engine does not tell). `engine_milliseconds` is the text's share of the time that the engine was
    at work: over a batch they add up to all of it. `reproducible` is false where the engine cannot promise the same
    text again for the same seed, settings and version.
    """

    model: str
    revision: str
    engine: str
    engine_version: str
    prompt_sha256: str
    sampling: Sampling
    seed: int
    prompt_tokens: int
    completion_tokens: int
    milliseconds: int
    finish_reason: str
    reproducible: bool = False
    device: str = ""
    first_token_milliseconds: int = 0
    engine_milliseconds: float = 0.0


@dataclass(frozen=True)
class Thought:
    """A parsed skill-of-mind. `outcome` is one of inference_worker.skills.Outcome's values."""

    outcome: str
    explanation: str
    skill: str
    nearest_skill: str = ""


@dataclass(frozen=True)
class Record:
    """One item's end: a text with its provenance, or the reason why there is none.

    `handed_back` marks an item that a worker gave back unwritten because it was told to stop: no failed attempt.
    """

    unit: int
    token: str
    text: str = ""
    thought: Thought | None = None
    provenance: Provenance | None = None
    error: str = ""
    can_retry: bool = False
    handed_back: bool = False


@dataclass(frozen=True)
class Records:
    """What comes back for a batch, whole or in part."""

    batch: str
    worker: str
    records: tuple[Record, ...]
    version: int = SCHEMA_VERSION


@dataclass(frozen=True)
class Alive:
    """A worker's own word, sent while it runs: what it serves and which batches (id to tokens) it holds."""

    worker: str
    model: str
    revision: str
    engine: str
    engine_version: str
    device: str
    memory_bytes: int
    tokens_per_second: float
    batches: dict[str, list[str]] = field(default_factory=dict)
    stopping: bool = False
    version: int = SCHEMA_VERSION


T = TypeVar("T")


def to_json(value: Any) -> dict[str, Any]:
    """Return the message of a dataclass of this module. Lists and objects inside it are shared, not copied."""
    return {name: _plain(getattr(value, name)) for name in _hints(cast(Any, type(value)))}


def from_json(kind: type[T], message: Any) -> T:
    """Build `kind` from a message. Raises SchemaError, naming the field that does not fit."""
    try:
        return cast(T, _builder(cast(Any, kind))(message))
    except _Misfit as misfit:
        raise SchemaError(f"{kind.__name__}{misfit.where} {misfit.what}") from None


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_json(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


class _Misfit(Exception):
    """A value that does not fit; `where` grows from the inside out, so that what fits costs nothing."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = ""

    def inside(self, where: str) -> "_Misfit":
        self.where = where + self.where
        return self


Builder = Callable[[Any], Any]


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@functools.cache
def _builder(kind: Any) -> Builder:
    """Return what makes a value of this type; worked out once, since records come by the thousand."""
    if dataclasses.is_dataclass(kind):
        return _dataclass_builder(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        inner = _builder(arguments[0])
        return lambda value: None if value is None else inner(value)
    if origin in (tuple, list):
        return _sequence_builder(origin, _builder(arguments[0]))
    if origin is dict:
        return _object_builder(_builder(arguments[1]))
    return _plain_builder(kind)


def _dataclass_builder(kind: Any) -> Builder:
    builders = {name: _builder(hint) for name, hint in _hints(kind).items()}

    def build(value: Any) -> Any:
        _expect(isinstance(value, dict), "an object")
        if unknown := value.keys() - builders.keys():
            _expect(False, f"no field {', '.join(sorted(unknown))}")
        fields = {}
        for name, item in value.items():
            try:
                fields[name] = builders[name](item)
            except _Misfit as misfit:
                raise misfit.inside(f".{name}") from None
        try:
            return kind(**fields)
        except TypeError as missing:
            raise _Misfit(f"is not whole: {missing}.") from missing

    return build


def _sequence_builder(kind: Any, item_builder: Builder) -> Builder:
    def build(value: Any) -> Any:
        _expect(isinstance(value, list | tuple), "a list")
        found = []
        for number, item in enumerate(value):
            try:
                found.append(item_builder(item))
            except _Misfit as misfit:
                raise misfit.inside(f"[{number}]") from None
        return kind(found)

    return build


def _object_builder(item_builder: Builder) -> Builder:
    def build(value: Any) -> Any:
        _expect(isinstance(value, dict), "an object")
        found = {}
        for key, item in value.items():
            try:
                found[key] = item_builder(item)
            except _Misfit as misfit:
                raise misfit.inside(f".{key}") from None
        return found

    return build


def _plain_builder(kind: Any) -> Builder:
    def build(value: Any) -> Any:
        if kind is Any or type(value) is kind:
            return value
        if kind is float and type(value) is int:
            return float(value)
        raise _Misfit(f"must be a {kind.__name__}.")

    return build


def _expect(fits: bool, what: str) -> None:
    if not fits:
        raise _Misfit(f"must be {what}.")
