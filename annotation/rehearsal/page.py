"""Read a page as a person without JavaScript does: its words, its forms, the two replies. Pure: no Django."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "cite", "code", "em", "i", "kbd", "mark", "q", "small", "span", "strong", "u"}
)
UNSEEN = frozenset({"script", "style", "template", "noscript", "svg", "title"})


@dataclass
class Element:
    """A part of the page with its attributes and what is in it: parts and words in order."""

    tag: str
    attributes: dict[str, str]
    inside: list["Element | str"] = field(default_factory=list)

    def walk(self) -> Iterator["Element"]:
        """Yield this part and all parts in it, in the order of the page."""
        yield self
        for child in self.inside:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, *tags: str) -> list["Element"]:
        return [element for element in self.walk() if element.tag in tags]

    def by_id(self, name: str) -> "Element | None":
        return next((element for element in self.walk() if element.attributes.get("id") == name), None)

    @property
    def text(self) -> str:
        """The words that are seen, with single blanks."""
        return " ".join("".join(self.words()).split())

    def words(self) -> Iterator[str]:
        for child in self.inside:
            if isinstance(child, str):
                yield child
            elif child.tag not in UNSEEN:
                around = "" if child.tag in INLINE else " "
                yield from (around, *child.words(), around)

    def has(self, attribute: str) -> bool:
        return attribute in self.attributes


class _Reader(HTMLParser):
    """Builds the tree. Tags that are left open end with the part around them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("page", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, 0, -1):
            if self.open[depth].tag == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read_page(html: str) -> Element:
    """Return the page as a tree."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


@dataclass(frozen=True)
class Choice:
    """A group of radio buttons under one question, in the order of the screen."""

    name: str
    question: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """What a form sends if nothing is touched, and what it asks.

    An empty `action` is the page's own address. The main form is the one that the page's primary button sends.
    """

    action: str
    method: str
    fields: dict[str, str]
    boxes: dict[str, str]
    choices: tuple[Choice, ...]
    is_main: bool = False


def read_forms(page: Element) -> list[Form]:
    """Return the page's forms in order."""
    return [_form(element, page) for element in page.all("form")]


def _form(form: Element, page: Element) -> Form:
    name = form.attributes.get("id")
    elsewhere = [e for e in page.all("input", "textarea", "select") if name and e.attributes.get("form") == name]
    controls = [e for e in form.all("input", "textarea", "select") if not e.has("disabled")]
    controls += [e for e in elsewhere if e not in controls]
    named = [control for control in controls if control.attributes.get("name")]
    return Form(
        action=form.attributes.get("action", ""),
        method=form.attributes.get("method", "get").lower(),
        fields={c.attributes["name"]: _value(c) for c in named if _kind(c) not in {"radio", "checkbox", "submit"}},
        boxes={c.attributes["name"]: c.attributes.get("value", "on") for c in named if _kind(c) == "checkbox"},
        choices=tuple(_choices(form)),
        is_main=any(_is_primary(button) for button in _buttons(form, page)),
    )


def _buttons(form: Element, page: Element) -> list[Element]:
    name = form.attributes.get("id")
    return form.all("button") + [b for b in page.all("button") if name and b.attributes.get("form") == name]


def _is_primary(button: Element) -> bool:
    return "primary" in button.attributes.get("class", "").split()


def _kind(control: Element) -> str:
    return control.attributes.get("type", "text") if control.tag == "input" else control.tag


def _value(control: Element) -> str:
    return control.text if control.tag == "textarea" else control.attributes.get("value", "")


def _choices(form: Element) -> Iterator[Choice]:
    for group in form.all("fieldset"):
        radios = [e for e in group.all("input") if _kind(e) == "radio" and not e.has("disabled")]
        if radios:
            question = " ".join(legend.text for legend in group.all("legend"))
            yield Choice(radios[0].attributes["name"], question, tuple(r.attributes["value"] for r in radios))
