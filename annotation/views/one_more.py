"""The words of a check and its markup: one more item under the questions of a comparison."""

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from annotation.checks import FIELD, CheckItem


def draw_item(item: CheckItem, *, chosen: str = "", is_missing: bool = False) -> SafeString:
    """Return the item as HTML. What passes is in its words and nowhere else."""
    words = option_words()
    context = {
        "field": FIELD,
        "text": item_words()[item.name],
        "options": [(value, words[value]) for value in item.options],
        "chosen": chosen,
        "is_missing": is_missing,
    }
    return render_to_string("annotator/_one_more.html", context)


def item_words() -> dict[str, str]:
    """Return what each check says, in the language of the page."""
    return {
        "choose-left": _("For this one, please choose Left."),
        "choose-right": _("For this one, please choose Right."),
        "moon": _("I have walked on the moon with my own feet."),
        "hours": _("My days usually have more than forty hours."),
        "ocean": _("I swim across an ocean every morning before breakfast."),
        "stones": _("I eat a plate of stones every day."),
        "age": _("I was born more than three hundred years ago."),
        "months": _("A year has more than fifty months."),
    }


def option_words() -> dict[str, str]:
    """Return the words of the options."""
    return {
        "left": _("Left"),
        "right": _("Right"),
        "disagree-strongly": _("Disagree strongly"),
        "disagree": _("Disagree"),
        "agree": _("Agree"),
        "agree-strongly": _("Agree strongly"),
    }
