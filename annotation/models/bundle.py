"""Study bundles that the default worker made, kept in the database: web and workers may stand on different machines."""

from django.conf import settings
from django.db import models

from annotation.models.study import Study


class StoredBundle(models.Model):
    """The newest bundle of a study, and the order for the next one. It goes when it expires or somebody is erased."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="stored_bundle")
    ordered_at = models.DateTimeField(null=True, blank=True, help_text="When the worker was asked; empty once done.")
    ordered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(null=True, blank=True, help_text="When the worker began.")
    problem = models.TextField(blank=True, help_text="Why the last order failed: a sentence for researchers.")
    name = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0, help_text="Bytes.")
    made_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Bundle of study {self.study_id} of {self.made_at or 'no time yet'}"


class BundlePiece(models.Model):
    """Some of a bundle's bytes. In pieces, so that nobody ever holds all of it in memory."""

    bundle = models.ForeignKey(StoredBundle, on_delete=models.CASCADE, related_name="pieces", db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bundle", "number"], name="bundle_piece_once")]

    def __str__(self) -> str:
        return f"{self.bundle_id}.{self.number}"
