"""Check prompt templates that a researcher has written: known roles, texts, and places that somebody fills. Pure."""

from annotation.prompt_files import DOCTOR_RESPOND, ROLES, THOUGHT, PromptFileError, Role, check_text

PARTS = frozenset({"system", "user", "stop"})
_BY_NAME = {role.name: role for role in ROLES} | {
    "doctor": Role("doctor", ""),
    DOCTOR_RESPOND: Role(DOCTOR_RESPOND, "", guidance=THOUGHT),
}


def check_templates(found: object) -> None:
    """Raise PromptFileError with the role and part that is wrong, and what to do."""
    if not isinstance(found, dict) or not found:
        raise PromptFileError('Give templates by role, like {"baseline": {"system": "…", "user": "{dialogue}"}}.')
    for name, parts in found.items():
        if name not in _BY_NAME:
            raise PromptFileError(f"There is no role “{name}”: known are {', '.join(_BY_NAME)}.")
        if not isinstance(parts, dict) or not str(parts.get("user", "")).strip():
            raise PromptFileError(f'“{name}” needs at least {{"user": "…"}}, the text that the model is given.')
        _check_parts(_BY_NAME[name], parts)


def _check_parts(role: Role, parts: dict[str, object]) -> None:
    if unknown := sorted(set(parts) - PARTS):
        raise PromptFileError(f"“{role.name}” has a part “{unknown[0]}”: known are {', '.join(sorted(PARTS))}.")
    for part in ("system", "user"):
        text = parts.get(part, "")
        if not isinstance(text, str):
            raise PromptFileError(f"{role.name}: {part} must be a text in quotes.")
        check_text(f"{role.name}: {part}", text, role.guidance, filled_too=frozenset({"skills"}))
    stop = parts.get("stop", [])
    if not isinstance(stop, list) or not all(isinstance(each, str) and each for each in stop):
        raise PromptFileError(f'{role.name}: stop must be a list of texts that end an answer, like ["\\n"].')
    if "{dialogue}" not in str(parts["user"]):
        raise PromptFileError(f"{role.name}: user has no place for {{dialogue}}.")
