"""What researchers configure and browse. Actions call services; nothing here writes rows by itself."""

from annotation.admin import accounts, comparisons, dialogues, generation, people, recruiting, registry, studies

__all__ = ["accounts", "comparisons", "dialogues", "generation", "people", "recruiting", "registry", "studies"]
