"""Buttons that ask before they act: a page says what will happen, a POST does it, a message says what came of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPMethod
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from annotation.admin.base import ConsoleAdmin, M
from annotation.errors import DuologueError
from annotation.services.actors import Actor, actor_of


@dataclass(frozen=True)
class RowAction[T: Model]:
    """A button, the question it asks, and the service that it calls. `run` returns what happened, in a sentence.

    `fits` says for which rows the button is there. With `asks_reason` the page has a field whose text `run` is given.
    `permission` is what the person must be allowed to do to such rows.
    """

    key: str
    button: str
    icon: str
    explanation: str
    run: Callable[[T, Actor, str], str]
    fits: Callable[[T], bool]
    asks_reason: bool = False
    is_final: bool = False
    is_main: bool = False
    permission: str = "change"


@dataclass(frozen=True)
class Button:
    """A button as a page draws it."""

    text: str
    icon: str
    link: str
    is_final: bool
    is_main: bool


def came_from(request: HttpRequest) -> str:
    """Return the page of ours that asked to be gone back to, "" where none did."""
    address = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(address, allowed_hosts=None) and address.startswith("/admin/")
    return address if is_ours else ""


class AskingAdmin(ConsoleAdmin[M]):
    """An admin page with buttons for one row, and the pages on which they ask."""

    row_actions: Sequence[RowAction[Any]] = ()
    change_form_outer_before_template = "admin/annotation/buttons.html"

    def get_urls(self) -> list[URLPattern]:
        ask = self.admin_site.admin_view(self.ask)
        return [path("<int:pk>/do/<slug:key>/", ask, name=self._name("do")), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if row := context.get("original"):
            context["buttons"] = self.buttons(request, row)
        return super().render_change_form(request, context, *args, **kwargs)

    def buttons(self, request: HttpRequest, row: M) -> list[Button]:
        """Return the buttons that fit this row and this person."""
        return [
            Button(
                action.button,
                action.icon,
                reverse(f"admin:{self._name('do')}", args=[row.pk, action.key]),
                action.is_final,
                action.is_main,
            )
            for action in self.row_actions
            if action.fits(row) and self.may(request, action, row)
        ]

    def may(self, request: HttpRequest, action: RowAction[Any], row: M) -> bool:
        """Whether this person may do that to rows of this kind, and to this one."""
        if not request.user.has_perm(f"{self.opts.app_label}.{action.permission}_{self.opts.model_name}"):
            return False
        return self.allows(request.user, action.permission, row)

    def ask(self, request: HttpRequest, pk: int, key: str) -> HttpResponse:
        """Ask on GET, do it on POST."""
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        action = next((action for action in self.row_actions if action.key == key), None)
        if action is None:
            raise Http404(f"There is no action {key}.")
        if not self.may(request, action, row):
            raise PermissionDenied("Your account may not do this. Ask the person who manages accounts.")
        if request.method == HTTPMethod.POST:
            return self._do(request, row, action)
        return render(request, "admin/annotation/ask.html", self.question(request, row, action))

    def question(self, request: HttpRequest, row: Any, action: RowAction[Any]) -> dict[str, Any]:
        """Return what the page says before it acts."""
        return {
            **self.admin_site.each_context(request),
            "action": action,
            "title": f"{action.button}: {row}",
            "opts": self.opts,
            "is_possible": action.fits(row),
            "back": came_from(request) or reverse(f"admin:{self._name('change')}", args=[row.pk]),
        }

    def _do(self, request: HttpRequest, row: Any, action: RowAction[Any]) -> HttpResponse:
        pk = row.pk
        try:
            if not action.fits(row):
                raise DuologueError(f"“{action.button}” does not fit any more: {row} has changed meanwhile.")
            messages.success(request, action.run(row, actor_of(request.user), request.POST.get("reason", "")))
        except DuologueError as problem:
            messages.error(request, problem.user_message)
        return redirect(came_from(request) or self.after(row, action, pk))

    def after(self, row: Any, action: RowAction[Any], pk: int) -> str:
        """Return where the person goes when it is done."""
        return reverse(f"admin:{self._name('change')}", args=[pk])

    def _name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"
