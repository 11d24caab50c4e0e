"""The filters of a report as a form that is sent with GET, so that an address says what its figures are of."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import QueryDict

from annotation.models import Study
from annotation.reporting.filters import NO_FILTERS, Filters, QualityLine

NO_KIND = "(none)"


class _Percent(forms.FloatField):
    """A share as people write it, from 0 to 100; nothing asks nothing."""

    def __init__(self, label: str) -> None:
        super().__init__(label=label, required=False, min_value=0, max_value=100)
        self.widget.attrs.update({"step": "any", "inputmode": "decimal"})
        self.error_messages["invalid"] = "write a number from 0 to 100."

    def clean(self, value: Any) -> float | None:
        percent = super().clean(value)
        return None if percent is None else percent / 100


class FilterForm(forms.Form):
    """What a reader leaves out."""

    kind = forms.MultipleChoiceField(label="Kinds of dialogue", required=False, widget=forms.CheckboxSelectMultiple)
    since = forms.DateField(label="Judged from", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="Judged until", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    agreement = _Percent("Agreement with the others, at least")
    gold = _Percent("Known answers right, lower limit at least")
    modal = _Percent("The same answer, at most")
    hurried = _Percent("Faster than reading, at most")

    shares = ("agreement", "gold", "modal", "hurried")

    def __init__(self, data: QueryDict, kinds: Sequence[str]) -> None:
        known = {name: data.getlist(name) for name in ("kind",)} | {
            name: data.get(name, "") for name in ("since", "until", *self.shares)
        }
        super().__init__(known, auto_id="filter-%s")
        field = self.fields["kind"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(kind or NO_KIND, kind or NO_KIND) for kind in kinds]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            raise forms.ValidationError(f"{since} comes after {until}: no judgement can be from and until these days.")
        return cleaned

    def line_fields(self) -> list[forms.BoundField]:
        """The fields that make the quality line."""
        return [self[name] for name in self.shares]

    def filters(self) -> Filters:
        """What was asked for; nothing while anything in it cannot be read."""
        if not self.is_valid():
            return NO_FILTERS
        said = self.cleaned_data
        return Filters(
            kinds=tuple(sorted("" if kind == NO_KIND else kind for kind in said["kind"])),
            since=said["since"].isoformat() if said["since"] else "",
            until=said["until"].isoformat() if said["until"] else "",
            line=QualityLine(**{name: said[name] for name in self.shares}),
        )

    def problems(self) -> list[str]:
        """What cannot be read, in sentences."""
        return [f"{self._name(field)}{error}" for field, errors in self.errors.items() for error in errors]

    def _name(self, field: str) -> str:
        return "" if field == NON_FIELD_ERRORS else f"{self.fields[field].label}: "


def filter_form(study: Study, data: QueryDict) -> FilterForm:
    """The form for this study's kinds of dialogue."""
    kinds = study.comparisons.order_by("dialogue__kind").values_list("dialogue__kind", flat=True).distinct()
    return FilterForm(data, list(kinds))
