"""What all admin pages share: unfold's look, no delete by accident, and tables that only show."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from annotation.errors import DuologueError

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as UnfoldModelAdmin
    from django.contrib.admin import StackedInline as UnfoldStackedInline
    from django.contrib.admin import TabularInline as UnfoldTabularInline
else:
    from unfold import admin as unfold_admin

    # Unfold has no type hints, and neither its classes nor Django's can be subscripted when they run.
    class UnfoldModelAdmin(unfold_admin.ModelAdmin):
        def __class_getitem__(cls, _model: Any) -> type:
            return cls

    class UnfoldTabularInline(unfold_admin.TabularInline):
        def __class_getitem__(cls, _models: Any) -> type:
            return cls

    class UnfoldStackedInline(unfold_admin.StackedInline):
        def __class_getitem__(cls, _models: Any) -> type:
            return cls


M = TypeVar("M", bound=Model)
Parent = TypeVar("Parent", bound=Model)


class ConsoleAdmin(UnfoldModelAdmin[M]):
    """Lists of 50 without a second count of the whole table, and no delete in bulk: the form says what would go."""

    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True
    actions = None

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show what a service refused as a message; the transaction around the form took everything back."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DuologueError as problem:
            self.message_user(request, problem.user_message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def allows(self, user: User | AnonymousUser, action: str, row: Model | None) -> bool:
        """Whether this row in particular allows an action (annotation.roles) that its table allows in general."""
        return True


class ConsoleInline(UnfoldTabularInline[M, Parent]):
    """Rows that belong to another thing, edited on its page."""

    extra = 0


class ConsoleStackedInline(UnfoldStackedInline[M, Parent]):
    """The same where a row has too many fields for a line."""

    extra = 0


class ReadOnlyAdmin(ConsoleAdmin[M]):
    """Rows that the program writes: researchers read them and nobody edits them by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


def clip(text: str, length: int = 90) -> str:
    """Return the beginning of a text for a list, with an ellipsis where something is missing."""
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1].rstrip() + "…"


def as_text(text: str) -> SafeString:
    """Return a person's or a model's words as they stand, line breaks and direction included."""
    return format_html('<div class="console-text" dir="auto">{}</div>', text or "–")
