"""A keeper at a browser before a booted box, by cable: the page of its first start, and the desk."""

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from html import unescape

from archipel_image.vm import PAGE_PATIENCE_S, Machine, Trouble

NAME, WIFI = "Neuve", "Neuve"  # a Wi-Fi is called as its island
KEEPER, PASSWORD, PASSPHRASE = "Essai", "colza brouette nuage 48", "quatre pommes sous la neige"
CODE_FILE = "archipel-code.txt"


class BoxKeeper:
    """Reads pages in English and presses their buttons; what was typed on the page at hand need not be typed again."""

    def __init__(self, machine: Machine):
        self._url = machine.url
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._browser = urllib.request.build_opener(cookies)
        self.page = ""

    def read(self, path: str) -> str:
        """A page. OSError while the box does not answer."""
        return self._ask(path, None)

    def press(self, path: str, **fields: str) -> str:
        """Send a form of the page at hand, its hidden fields with it; the page that comes."""
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.page)
        typed = {name: unescape(value) for name, value in hidden} | fields
        return self._ask(path, urllib.parse.urlencode(typed).encode())

    def sign_in(self) -> "BoxKeeper":
        """At the desk from then on. OSError while the box does not answer."""
        page = self.press("keeper/login", name=KEEPER, password=PASSWORD)
        if 'name="csrf"' not in page and "keeper/care" not in page:
            raise Trouble("the keeper is not let in")
        return self

    def found(self, code: str) -> None:
        """Make the island on its page `/start`, founders' keys later."""
        self.read("start")
        self.press("start/code", code=code)
        self.press("start/island", name=NAME, language="fr", country="France", posting="open")
        self.press("start/keeper", keeper=KEEPER, new=PASSWORD, again=PASSWORD)
        self.press("start/set", way="found", set_name="Belleville", keys="0")
        self.press("start/end")

    def _ask(self, path: str, body: bytes | None) -> str:
        request = urllib.request.Request(urllib.parse.urljoin(self._url, path), body, {"Accept-Language": "en"})
        try:
            with self._browser.open(request, timeout=PAGE_PATIENCE_S) as answer:
                self.page = answer.read().decode()
        except urllib.error.HTTPError as refused:
            if refused.code == 503:  # it starts
                raise
            self.page = refused.read().decode()
            said = " ".join(re.sub("<[^>]+>", " ", self.page.rpartition("<main")[2]).split())[:600]
            raise Trouble(f"{path}: {refused.code}: {said}") from refused
        return self.page
