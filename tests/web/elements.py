"""What an answer of the portal is made of: its forms, and whatever in it would run or lead astray."""

import json
from html.parser import HTMLParser


class Elements(HTMLParser):
    """What a page is made of, to find what nobody of us wrote."""

    def __init__(self):
        super().__init__()
        self.forms, self.bad, self._form, self._select, self._script = [], [], None, None, ""

    def handle_starttag(self, tag, attrs):
        told = {name: value or "" for name, value in attrs}
        self._script = told.get("type", "any") if tag == "script" else ""
        self.bad += [tag] if tag in ("iframe", "object", "embed", "base") else []
        self.bad += [tag] if self._script not in ("", "application/ld+json") else []
        self.bad += [name for name in told if name.startswith("on") or (name == "style" and "url(" in told[name])]
        self.bad += [told[name] for name in ("href", "src", "action", "xlink:href")
                     if told.get(name, "").strip().lower().startswith(("javascript:", "data:text", "vbscript:"))]
        self._note(tag, told)

    def _note(self, tag, told):
        if tag == "form":
            self._form = {"action": told.get("action", ""), "method": told.get("method", "get"), "fields": [],
                          "buttons": [], "files": []}
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag == "input" and told.get("type") == "file":
            self._form["files"].append(told.get("name", ""))
        elif tag in ("input", "button") and told.get("type", "submit" if tag == "button" else "") in ("submit", "image"):
            self._form["buttons"].append((told.get("name", ""), told.get("value", "")))
        elif tag in ("input", "textarea") and told.get("name"):
            self._form["fields"].append((told["name"], told.get("value", "x" if tag == "textarea" else "")))
        elif tag == "select":
            self._select = told.get("name")
        elif tag == "option" and self._select:
            self._form["fields"].append((self._select, told.get("value", "")))
            self._select = None

    def handle_data(self, data):
        if self._script:
            json.loads(data)  # it tells of an event, and nothing runs

    def handle_endtag(self, tag):
        self._script = ""
        if tag == "form":
            self._form = None


def checked(answer, what):
    """The answer, which is a page of ours, whole and with nothing in it that runs."""
    assert answer.status_code < 500 or answer.status_code == 503, (answer.status_code, what)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy, what
    sort = answer.headers.get("Content-Type", "")
    assert answer.status_code in (204, 303, 304, 308) or sort.startswith(
        ("application/", "audio/", "image/", "text/")), (sort, what)
    if sort.startswith("text/html") and answer.status_code not in (303, 308):
        page = answer.get_data(as_text=True)
        assert page.rstrip().endswith("</html>"), what
        elements = Elements()
        elements.feed(page)
        assert not elements.bad, (elements.bad, what)
    return answer
