"""All tables of Duologue, by subject."""

from annotation.models.agent import Agent, Augmenter, Backend, Guidance, LanguageModel, PromptSet, Source
from annotation.models.annotator import Annotator, Assignment, ProblemReport
from annotation.models.bundle import BundlePiece, StoredBundle
from annotation.models.checks import CheckResult, GoldAnswer
from annotation.models.datasheet import DatasheetAnswer
from annotation.models.decision import PayDecision
from annotation.models.dialogue import Collection, Dialogue
from annotation.models.flow import ClosingQuestion, ComprehensionQuestion, Practice, StepAttempt
from annotation.models.generation import (
    GenerationRun,
    GenerationUnit,
    Response,
    RunCount,
    RunTally,
    SkillOfMind,
    Stage,
    Worker,
)
from annotation.models.judgement import Event, Judgement
from annotation.models.membership import Membership
from annotation.models.recruitment import (
    ExitCode,
    Invitation,
    PlatformBatch,
    PlatformEvent,
    PlatformIdentity,
    PlatformMessage,
    Recruitment,
    SigningKeys,
)
from annotation.models.report import StoredReport
from annotation.models.study import Comparison, Criterion, Matchup, Scale, Slot, Study

__all__ = [
    "Agent",
    "Annotator",
    "Assignment",
    "Augmenter",
    "Backend",
    "BundlePiece",
    "CheckResult",
    "ClosingQuestion",
    "Collection",
    "Comparison",
    "ComprehensionQuestion",
    "Criterion",
    "DatasheetAnswer",
    "Dialogue",
    "Event",
    "ExitCode",
    "GenerationRun",
    "GenerationUnit",
    "GoldAnswer",
    "Guidance",
    "Invitation",
    "Judgement",
    "LanguageModel",
    "Matchup",
    "Membership",
    "PayDecision",
    "PlatformBatch",
    "PlatformEvent",
    "PlatformIdentity",
    "PlatformMessage",
    "Practice",
    "ProblemReport",
    "PromptSet",
    "Recruitment",
    "Response",
    "RunCount",
    "RunTally",
    "Scale",
    "SigningKeys",
    "SkillOfMind",
    "Slot",
    "Source",
    "Stage",
    "StepAttempt",
    "StoredBundle",
    "StoredReport",
    "Study",
    "Worker",
]
