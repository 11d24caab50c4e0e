"""The project's own wording of every prompt, by role. The published wording is imported, never kept here.

Roles: `think` asks a skill-of-mind model, `own_skill` a plain model for the same, `doctor` for a rationale;
`baseline`, `both`, `skill` and `explanation` ask a responder. The responder roles share every word up to the
guidance: so the guidance alone differs between two agents, and an engine can reuse what it has read of the dialogue.
"""

THINK_ROLES = ("think", "own_skill", "doctor")
RESPOND_ROLES = ("baseline", "both", "skill", "explanation")

_SECTIONS = """### Social Context:
{social_context}

### Dialogue:
{dialogue}

### Explanation: """

_THINK = f"""### Task Description:
You are the person who speaks next in the dialogue below. Say in one or two sentences, as that person, what you \
notice about the other one and what your next words should do. Then write [RESULT SKILL] and name the conversational \
skill that this takes. A line with [Sharing Image] tells what a sent picture shows.

{_SECTIONS}"""

_OWN_SKILL = f"""### Task Description:
You are the person who speaks next in the dialogue below. Say in one or two sentences, as that person, what you \
notice about the other one and what your next words should do. Then write [RESULT SKILL] and one skill of this list, \
spelled as it stands there: {{skills}}. A line with [Sharing Image] tells what a sent picture shows.

{_SECTIONS}"""

_DOCTOR = f"""### Task Description:
Before the next turn of the dialogue below is written, reason about it step by step: what the other person knows, \
wants and feels, what was hinted at and not said, and what follows for the answer. Write this reasoning as one short \
paragraph and do not write the answer itself. A line with [Sharing Image] tells what a sent picture shows.

{_SECTIONS}"""

_RESPOND = """Write the next turn of this dialogue. Give only the words that are said: one short turn that answers \
the last one, in the style of the dialogue.

[Social Context]
{social_context}

[Dialogue]
{dialogue}

"""

_ADVICE = "This may help; leave it aside where it misleads, and do not put too much into one turn."

_NEXT = """[Next Response]
{next_speaker}:"""

_THINKER = "You understand people well, and you choose how to answer before you answer."
_RESPONDER = "You are a helpful assistant."

TEMPLATES: dict[str, dict[str, str]] = {
    "think": {"system": _THINKER, "user": _THINK},
    "own_skill": {"system": _THINKER, "user": _OWN_SKILL},
    "doctor": {"system": _THINKER, "user": _DOCTOR},
    "baseline": {"system": _RESPONDER, "user": f"{_RESPOND}{_NEXT}"},
    "both": {
        "system": _RESPONDER,
        "user": f"""{_RESPOND}[Explanation and Skill]
{_ADVICE}
{{explanation}} Thus, the most appropriate conversational skill for the next response is {{skill}}.

{_NEXT}""",
    },
    "skill": {
        "system": _RESPONDER,
        "user": f"""{_RESPOND}[Conversational Skill]
{_ADVICE}
The most appropriate conversational skill for the next response is {{skill}}.

{_NEXT}""",
    },
    "explanation": {
        "system": _RESPONDER,
        "user": f"""{_RESPOND}[Explanation]
{_ADVICE}
{{explanation}}

{_NEXT}""",
    },
}

# A responder's turn is over where the next line begins; a thought may have lines, and ends by itself.
STOP: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(THINK_ROLES, ()),
    **dict.fromkeys(RESPOND_ROLES, ("\n",)),
}
