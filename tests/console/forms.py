"""The fields of a page's form as a browser would send them back untouched."""

from html.parser import HTMLParser


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.select = ""
        self.textarea = ""

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag == "select":
            self.select = named.get("name", "")
        elif tag == "textarea":
            self.textarea = named.get("name", "")
            self.fields.setdefault(self.textarea, [""])
        elif tag == "option" and "selected" in named and self.select:
            self.fields.setdefault(self.select, []).append(named.get("value", ""))
        elif tag == "input" and named.get("name") and self._is_sent(named):
            self.fields.setdefault(named["name"], []).append(
                named.get("value", "on" if named.get("type") == "checkbox" else "")
            )

    def handle_endtag(self, tag):
        if tag in ("select", "textarea"):
            self.select = self.textarea = ""

    def handle_data(self, data):
        if self.textarea:
            self.fields[self.textarea][0] += data.removeprefix("\n") if not self.fields[self.textarea][0] else data

    @staticmethod
    def _is_sent(named):
        kind = named.get("type", "text")
        return kind not in ("submit", "file", "button") and (kind not in ("checkbox", "radio") or "checked" in named)


def fields_of(response):
    """Return name to values of every field of the page."""
    parser = _Fields()
    parser.feed(response.content.decode())
    return parser.fields
