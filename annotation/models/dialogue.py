"""Imported contexts: collections of dialogues that wait for a next response."""

from django.db import models


class Collection(models.Model):
    """A set of dialogues with one source and one licence."""

    name = models.CharField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    source = models.CharField(
        max_length=500, blank=True, help_text="Where the dialogues come from: a paper, an address."
    )
    licence = models.CharField(
        max_length=200, blank=True, help_text="Under which terms they may be used, e.g. CC BY 4.0."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Dialogue(models.Model):
    """A dialogue up to the turn that agents are asked to write."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="dialogues")
    external_id = models.CharField(
        "id", max_length=200, help_text="The id in the imported file; unique in its collection."
    )
    kind = models.CharField(
        max_length=60, blank=True, db_index=True, help_text="For strata, e.g. empathy or small-talk."
    )
    social_context = models.TextField(blank=True)
    turns = models.JSONField(help_text='A list of {"speaker": …, "text": …}, oldest first.')
    next_speaker = models.CharField(max_length=200)
    reference = models.TextField("reference response", blank=True)
    reference_skills = models.JSONField(default=list, blank=True)
    language = models.CharField(max_length=35, default="en", help_text="BCP 47 tag, e.g. en or pt-BR.")
    tags = models.JSONField(default=list, blank=True)
    content_warning = models.CharField(
        max_length=300, blank=True, help_text="Shown before the dialogue; may be skipped."
    )

    class Meta:
        ordering = ["collection_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["collection", "external_id"], name="dialogue_id_once_per_collection")
        ]

    def __str__(self) -> str:
        return f"{self.collection_id}/{self.external_id}"
