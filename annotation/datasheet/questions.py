"""The 45 questions of the datasheet in our own words, and who answers each. Pure: no Django.

After HEDS 2.0 (Shimorina and Belz 2022), whose numbers they keep.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fill(StrEnum):
    """AUTO: the study's records say it. BOTH: they say part of it, one choice the rest. CHOICE: a researcher picks or
    writes a sentence. HAND: only the researcher knows."""

    AUTO = "auto"
    BOTH = "both"
    CHOICE = "choice"
    HAND = "hand"


@dataclass(frozen=True)
class Question:
    """One question. `choices`: key to the sentence it stands for, the usual one first; `preset`: the choice that fits a
    criterion of this key."""

    number: str
    asks: str
    fill: Fill
    help: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    preset: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_per_criterion(self) -> bool:
        return self.number.startswith("4.")

    @property
    def is_asked(self) -> bool:
        return self.fill != Fill.AUTO

    def proposal(self, criterion_key: str = "") -> str:
        """The key of the choice that is most likely right, for a researcher to confirm. Ethics has no usual answer."""
        if criterion_key in self.preset:
            return self.preset[criterion_key]
        has_usual = not self.is_per_criterion and not self.number.startswith("5.")
        return next(iter(self.choices), "") if has_usual else ""


SECTIONS = {
    "1": "Paper, resources and contact",
    "2": "Systems",
    "3.1": "Sample of outputs",
    "3.2": "Evaluators",
    "3.3": "Design of the experiment",
    "4.1": "Quality criterion: what is judged",
    "4.2": "Quality criterion: kind of judgement",
    "4.3": "Quality criterion: how it is asked, and what is made of the answers",
    "5": "Ethics",
}

_NONE_NEEDED = "Not needed under the rules of our institution."

QUESTIONS = (
    Question(
        "1.1",
        "Which paper reports the evaluation?",
        Fill.HAND,
        "A link or a reference; “for preregistration” where there is none yet.",
    ),
    Question(
        "1.2",
        "Where are the resources of the evaluation?",
        Fill.HAND,
        "Where the study bundle can be had, and its checksum; both are listed on this page once a bundle was made.",
    ),
    Question("1.3", "Who fills in this datasheet?", Fill.HAND, "Name, affiliation and address of a contact."),
    Question("2.1", "What do the systems take as input?", Fill.AUTO),
    Question("2.2", "What do the systems give as output?", Fill.AUTO),
    Question("2.3", "Which task leads from input to output?", Fill.AUTO),
    Question("2.4", "In which languages is the input?", Fill.AUTO),
    Question("2.5", "In which languages is the output?", Fill.AUTO),
    Question("3.1.1", "How many outputs are evaluated of each system?", Fill.AUTO),
    Question("3.1.2", "How were they selected?", Fill.AUTO),
    Question("3.1.3", "What is the statistical power of a sample of this size?", Fill.AUTO),
    Question("3.2.1", "How many evaluators are there?", Fill.AUTO),
    Question(
        "3.2.2",
        "What kind of evaluators are they?",
        Fill.BOTH,
        "Experts or not, paid or not, known to the authors or not.",
        {
            "crowd": "Not experts, paid, and not known to the authors.",
            "volunteers": "Not experts, not paid, and not known to the authors.",
            "colleagues": "Not experts, not paid, and some of them known to the authors.",
            "students": "Students, paid or given credit, some of them known to the authors.",
            "experts": "Experts in dialogue or in the language, paid, and not known to the authors.",
        },
    ),
    Question(
        "3.2.3",
        "How were they recruited?",
        Fill.BOTH,
        "",
        {
            "platform": "On a crowdsourcing platform, open to everybody who met its filters.",
            "link": "By a link that was passed on in public.",
            "list": "By a link sent to a mailing list or a group.",
            "personal": "By asking people in person.",
        },
    ),
    Question("3.2.4", "Which training or practice did they get?", Fill.AUTO),
    Question(
        "3.2.5",
        "What else is known of them, and what had to be true of them to take part?",
        Fill.CHOICE,
        "",
        {
            "adults": "They had to say that they are 18 or older; nothing else was asked.",
            "fluent": "They had to be 18 or older and fluent in the language of the dialogues; nothing else was asked.",
        },
    ),
    Question(
        "3.3.1",
        "Was the experiment registered beforehand, and where?",
        Fill.CHOICE,
        "The frozen study with its hash and its time can be the file that is registered.",
        {"no": "It was not registered beforehand.", "yes": "It was registered before the launch; the link is below."},
    ),
    Question("3.3.2", "How are answers collected?", Fill.AUTO),
    Question("3.3.3", "How is their quality assured?", Fill.AUTO),
    Question("3.3.4", "What do evaluators see?", Fill.AUTO),
    Question("3.3.5", "How free are they in when and how fast they answer?", Fill.AUTO),
    Question("3.3.6", "May they ask questions or give feedback?", Fill.AUTO),
    Question(
        "3.3.7",
        "Where do they sit?",
        Fill.BOTH,
        "",
        {
            "own": "Wherever they liked; the place was neither prescribed nor recorded.",
            "lab": "In a room that we provided.",
        },
    ),
    Question(
        "3.3.8",
        "What are the conditions there?",
        Fill.BOTH,
        "",
        {
            "varied": "They varied and were not controlled.",
            "controlled": "They were the same for everybody: a quiet room and one kind of screen.",
        },
    ),
    Question(
        "4.1.1",
        "Does it judge correctness, goodness, or a feature?",
        Fill.CHOICE,
        "Goodness: better or worse, with no output that is perfect. Feature: more or less of something neutral.",
        {
            "goodness": "Goodness: how good a response is in this respect.",
            "correctness": "Correctness: whether a response is right in this respect.",
            "feature": "A feature: how much of it a response has, which in itself is neither good nor bad.",
        },
        {"naturalness": "goodness", "engagingness": "goodness", "prosociality": "goodness"},
    ),
    Question(
        "4.1.2",
        "Does it judge form, content, or both?",
        Fill.CHOICE,
        "",
        {
            "both": "Form and content together.",
            "content": "Content: what is said.",
            "form": "Form: how it is said.",
        },
        {"naturalness": "both", "engagingness": "both", "prosociality": "content"},
    ),
    Question(
        "4.1.3",
        "Is a response judged in its own right, against its input, or against something outside?",
        Fill.CHOICE,
        "",
        {
            "input": "Against its input: as an answer to the dialogue before it.",
            "own": "In its own right.",
            "external": "Against something outside the dialogue, such as facts or norms.",
        },
        {"naturalness": "input", "engagingness": "input", "prosociality": "external"},
    ),
    Question(
        "4.2.1",
        "Is the judgement objective or subjective?",
        Fill.CHOICE,
        "",
        {
            "subjective": "Subjective: people are asked for their own view.",
            "objective": "Objective: there is one right answer.",
        },
        {"naturalness": "subjective", "engagingness": "subjective", "prosociality": "subjective"},
    ),
    Question("4.2.2", "Is it absolute or relative?", Fill.AUTO),
    Question(
        "4.2.3",
        "Is it intrinsic or extrinsic?",
        Fill.CHOICE,
        "Extrinsic: judged by how well something else works with it.",
        {
            "intrinsic": "Intrinsic: the response itself is judged.",
            "extrinsic": "Extrinsic: it is judged by its effect on something else.",
        },
        {"naturalness": "intrinsic", "engagingness": "intrinsic", "prosociality": "intrinsic"},
    ),
    Question("4.3.1", "What is the criterion called where evaluators see it?", Fill.AUTO),
    Question("4.3.2", "Which definition do they see?", Fill.AUTO),
    Question("4.3.3", "How many answers does the scale have?", Fill.AUTO),
    Question("4.3.4", "What are they?", Fill.AUTO),
    Question("4.3.5", "How is the scale presented?", Fill.AUTO),
    Question("4.3.6", "If there is no scale, what is the task?", Fill.AUTO),
    Question("4.3.7", "What is the question, word for word?", Fill.AUTO),
    Question("4.3.8", "In which form is the answer elicited?", Fill.AUTO),
    Question("4.3.9", "How are raw answers aggregated?", Fill.AUTO),
    Question("4.3.10", "How are effect size and significance determined?", Fill.AUTO),
    Question("4.3.11", "How well do evaluators agree with each other and with themselves?", Fill.AUTO),
    Question(
        "5.1",
        "Was the evaluation approved by an ethics committee?",
        Fill.CHOICE,
        "",
        {
            "approved": "Approved; committee and number are below.",
            "exempt": "Found exempt by the committee named below.",
            "not-needed": _NONE_NEEDED,
        },
    ),
    Question(
        "5.2",
        "Do the outputs or the answers hold personal data?",
        Fill.CHOICE,
        "",
        {
            "pseudonymous": "No names or addresses. Annotators are known by a pseudonym made for this study; ids of "
            "platforms are kept apart from the answers and are in no export.",
            "dialogues": "The dialogues hold personal data, which is described below.",
        },
    ),
    Question(
        "5.3",
        "Do they hold data of special categories, such as health, belief or politics?",
        Fill.CHOICE,
        "",
        {
            "none": "None was asked for; dialogues are made up and are about nobody.",
            "some": "Some, as described below.",
        },
    ),
    Question(
        "5.4",
        "Was an impact assessment made?",
        Fill.CHOICE,
        "",
        {
            "none": "None was made.",
            "made": "Made; what came of it is below.",
        },
    ),
)

BY_NUMBER = {question.number: question for question in QUESTIONS}


def section_of(question: Question) -> str:
    """Return the heading under which a question stands."""
    return next(title for number, title in SECTIONS.items() if question.number.startswith(f"{number}."))
