"""Studies by membership: admin pages show rows of a person's own studies, and members are edited by owners."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import RelatedFieldListFilter
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from annotation.admin.base import ConsoleInline, M
from annotation.models import Membership, Study
from annotation.roles import Action
from annotation.services.members import may, studies_of

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from annotation.admin.base import ConsoleAdmin

    class OfStudyBase(ConsoleAdmin[M]):
        """The page that the rows' table has anyway."""
else:

    class OfStudyBase:
        """What is not a page by itself: the real one stands behind it in the order of the classes."""

        def __class_getitem__(cls, _model: Any) -> type:
            return cls


Choices = list[tuple[str, "str | _StrPromise"]]


class OwnStudiesFilter(RelatedFieldListFilter):
    """Offers the studies that this person may see: the names of others are not theirs to read."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Choices:
        own = studies_of(request.user).values("pk")
        ordering = self.field_admin_ordering(field, request, model_admin)
        choices: Choices = field.get_choices(include_blank=False, ordering=ordering, limit_choices_to={"pk__in": own})
        return choices


class OwnRunsFilter(OwnStudiesFilter):
    """The same for generation runs."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Choices:
        runs = field.related_model.objects.filter(Q(study=None) | Q(study__in=studies_of(request.user)))
        return [(str(run.pk), str(run)) for run in runs.select_related("study").order_by("-pk")[:50]]


class OfStudy(OfStudyBase[M]):
    """Rows that belong to a study; `study_path` leads there from a row. Rows of no study are everybody's."""

    study_path: ClassVar[str] = "study"

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        path = self.study_path or "pk"
        return rows.filter(Q(**{f"{path}__in": studies_of(request.user)}) | Q(**{f"{path}__isnull": True}))

    def study_of(self, row: Model) -> Study | None:
        """Return the study of a row."""
        found: Any = row
        for step in filter(None, self.study_path.split("__")):
            found = getattr(found, step)
        return found if isinstance(found, Study) else None

    def allows(self, user: User | AnonymousUser, action: str, row: Model | None) -> bool:
        """Whether the person's role in the row's study allows this; there is nothing to ask without a row."""
        study = None if row is None or row.pk is None else self.study_of(row)
        return study is None or may(user, action, study)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return super().has_view_permission(request, obj) and self.allows(request.user, Action.VIEW, obj)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return super().has_change_permission(request, obj) and self.allows(request.user, Action.CHANGE, obj)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self.allows(request.user, Action.DELETE, obj)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        own = {"study": OwnStudiesFilter, "run": OwnRunsFilter}
        filters: list[Any] = []
        for name in super().get_list_filter(request):
            kind = own.get(name.rsplit("__", 1)[-1]) if isinstance(name, str) else None
            filters.append((name, kind) if kind else name)
        return filters


class MembershipInline(ConsoleInline[Membership, Study]):
    """Who sees the study; edited by its owners, also after the launch."""

    model = Membership
    verbose_name_plural = "12. Who of the team sees it"
    fields = ("user", "role")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the team; owners need no right to the accounts themselves."""
        if db_field.name == "user":
            kwargs["queryset"] = User.objects.filter(is_staff=True, is_active=True).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _may(self, request: HttpRequest, study: Study | None) -> bool:
        return study is not None and may(request.user, Action.SHARE, study)

    def has_view_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        """Whoever opened the study's page may read who else does."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        return self._may(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        return self._may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        return self._may(request, obj)
