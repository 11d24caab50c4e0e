"""Read published prompt templates out of a Python file without running it. Pure: no Django.

The authors of Thanos keep their prompts as module-level texts in one Python file (utils/prompt_templates.py of their
repository). It is parsed, and single constants are evaluated as literals: whatever else stands in it has no effect.
"""

import ast
import re
import warnings
from dataclasses import dataclass

from annotation.errors import DuologueError

MAX_BYTES = 2 * 1024 * 1024
PLACEHOLDERS = frozenset({"social_context", "dialogue", "next_speaker", "explanation", "skill", "rationale"})
# `str.format` also looks into things and formats them: {dialogue.x}, {dialogue[0]}, {dialogue!r}, {dialogue:>9}.
_FORMATTED = re.compile(r"(?<!\{)\{(?:" + "|".join(sorted(PLACEHOLDERS)) + r")[.\[!:][^{}]*\}")
# How the published runs put both parts into one text.
JOINED = "{explanation} Thus, the most appropriate conversational skill for the next response is {skill}."

Templates = dict[str, dict[str, str]]


class PromptFileError(DuologueError):
    """The file holds no such templates, or templates that cannot be filled."""


@dataclass(frozen=True)
class Role:
    """A prompt's use: its names in the published file, the placeholders without which it makes no sense, and those for
    guidance that it may have: a responder that is to see the skill alone must not be told the explanation."""

    name: str
    user: str
    system: str = ""
    needs: tuple[frozenset[str], ...] = (frozenset({"dialogue"}),)
    guidance: frozenset[str] = frozenset()
    is_optional: bool = False


THOUGHT = frozenset({"explanation", "rationale"})
DIALOGUE = frozenset({"dialogue"})
SKILL = frozenset({"skill"})
GUIDANCE = THOUGHT | SKILL
RESPOND_SYSTEM = "THANOS_NEXT_RESP_SYSTEM_MESSAGE"
DOCTOR = "DOCTOR_CHATGPT_TEMPLATE"
DOCTOR_RESPOND = "doctor_respond"
ROLES = (
    Role("think", "THANOS_SKILL_TEMPLATE", "THANOS_SKILL_SYSTEM_MESSAGE"),
    Role("both", "THANOS_NEXT_RESP_TEMPLATE_BOTH", RESPOND_SYSTEM, (DIALOGUE, GUIDANCE), GUIDANCE),
    Role("skill", "THANOS_NEXT_RESP_TEMPLATE_SKILL", RESPOND_SYSTEM, (DIALOGUE, SKILL), SKILL),
    Role("explanation", "THANOS_NEXT_RESP_TEMPLATE_RATIONALE", RESPOND_SYSTEM, (DIALOGUE, THOUGHT), THOUGHT),
    Role("baseline", "OUR_BASE_NEXT_RESP_TEMPLATE", "OUR_BASE_NEXT_RESP_SYSTEM_MESSAGE"),
    Role("own_skill", "OUR_BASE_SKILL_TEMPLATE", "OUR_BASE_SKILL_SYSTEM_MESSAGE", is_optional=True),
)


def read_templates(source: bytes) -> Templates:
    """Return {role: {"system": …, "user": …}}. Raises PromptFileError, naming what is missing or cannot be filled."""
    texts = _texts(_parse(source))
    wanted = [role for role in ROLES if not (role.is_optional and role.user not in texts)]
    missing = [name for role in wanted for name in (role.user, role.system) if name not in texts]
    if missing:
        raise PromptFileError(
            f"The file lacks {_list(missing)}. Give the file utils/prompt_templates.py of the authors' repository."
        )
    templates = {role.name: _template(role, texts) for role in wanted}
    if DOCTOR in texts:
        templates |= _doctor(texts[DOCTOR], texts[RESPOND_SYSTEM])
    return templates


def placeholders(template: str) -> set[str]:
    """Return the names in single braces."""
    return set(re.findall(r"(?<!\{)\{(\w+)\}(?!\})", template))


def _parse(source: bytes) -> ast.Module:
    if len(source) > MAX_BYTES:
        raise PromptFileError(f"The file is larger than {MAX_BYTES // 2**20} MB: this is no file of prompt templates.")
    try:
        with warnings.catch_warnings():
            # Python warns of "\\[" and the like in texts; they are read as they stand.
            warnings.simplefilter("ignore")
            return ast.parse(source.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise PromptFileError("The file is not UTF-8 text: this is no Python file.") from None
    except SyntaxError as error:
        raise PromptFileError(
            f"Line {error.lineno} is not Python. If this is a web page, give the address of the raw file."
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise PromptFileError("The file cannot be read as Python.") from None


def _texts(module: ast.Module) -> dict[str, str]:
    """Return the texts among our names. Only literals are read; an expression would have to be run."""
    names = {name for role in ROLES for name in (role.user, role.system)} | {DOCTOR}
    texts: dict[str, str] = {}
    for statement in module.body:
        name, value = _assigned(statement)
        if value is None or name not in names:
            continue
        text = _literal(value)
        if not isinstance(text, str) or not text.strip():
            raise PromptFileError(f"Line {statement.lineno}: {name} must be a plain text in quotes.")
        if name in texts:
            raise PromptFileError(f"Line {statement.lineno}: {name} is there twice; keep the one that was used.")
        texts[name] = text
    return texts


def _assigned(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id, statement.value
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id, statement.value
    return "", None


def _literal(value: ast.expr) -> object:
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None


def _template(role: Role, texts: dict[str, str]) -> dict[str, str]:
    user, system = texts[role.user], texts[role.system]
    for name, text in ((role.user, user), (role.system, system)):
        check_text(name, text, role.guidance)
    for options in role.needs:
        if not options & placeholders(user):
            raise PromptFileError(f"{role.user} has no place for {' or '.join(_list([each]) for each in options)}.")
    return {"system": system, "user": _with_both_parts(user) if role.name == "both" else user}


def check_text(name: str, text: str, guidance: frozenset[str], *, filled_too: frozenset[str] = frozenset()) -> None:
    """Raise PromptFileError for a place in a text that nobody fills, or that is not for the one who is asked."""
    if asked := _FORMATTED.search(text):
        raise PromptFileError(f"{name} asks for {asked[0]}: only plain names in braces are filled.")
    if unknown := placeholders(text) - PLACEHOLDERS - filled_too:
        raise PromptFileError(f"{name} asks for {_list(unknown)}, which nobody fills.")
    if extra := placeholders(text) & (GUIDANCE - guidance):
        raise PromptFileError(f"{name} asks for {_list(extra)}, which is not for the one who is asked with it.")


def _with_both_parts(user: str) -> str:
    """A template with one place for both parts gets them joined as in the published runs."""
    found = placeholders(user)
    if found >= SKILL and found & THOUGHT:
        return user
    place = next(iter(found & (THOUGHT | SKILL)))
    return user.replace(f"{{{place}}}", JOINED)


def _doctor(text: str, system: str) -> Templates:
    """The template for a chain of thought: with a place for one it is the responder's, without it asks for one."""
    check_text(DOCTOR, text, THOUGHT)
    return {DOCTOR_RESPOND if placeholders(text) & THOUGHT else "doctor": {"system": system, "user": text}}


def _list(names: "set[str] | list[str]") -> str:
    return ", ".join(f"{{{name}}}" if name.islower() else name for name in sorted(names))
