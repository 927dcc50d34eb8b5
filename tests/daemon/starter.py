"""Somebody at the page `/start`: types what is asked, and reads the founders' keys from their sheets."""

import re
from html import unescape

WORDS = re.compile(r"<li>([^<]+)</li>")


class Starter:
    """Over a client of the portal (`get` and `post` as Flask's test client has them)."""

    def __init__(self, client, language="fr"):
        self.client, self.language, self.page, self.status = client, language, "", 0
        self.papers = []  # the words of each key that was shown

    def go(self, path="/start"):
        """Ask for a page."""
        return self._took(self.client.get(path, headers=self._headers, follow_redirects=True))

    def send(self, path, **fields):
        """Press a button of the page at hand."""
        found = re.search(r'name="csrf" value="(\w+)"', self.page)
        data = {"csrf": found[1] if found else "", **fields}
        return self._took(self.client.post(path, data=data, headers=self._headers, follow_redirects=True,
                                           content_type="multipart/form-data"))

    def _took(self, response):
        self.page, self.status = unescape(response.get_data(as_text=True)), response.status_code
        assert len(response.data) < 13_100, f"{len(response.data)} octets"
        assert response.headers["Cache-Control"] == "no-store"
        return self.page

    @property
    def _headers(self):
        return {"Accept-Language": self.language, "Host": "archipel.lan"}

    def enter(self, code):
        """Type the code of the card."""
        self.go()
        return self.send("/start/code", code=code)

    def describe(self, **island):
        """What the island is, and its keeper."""
        self.send("/start/island", **{"name": "Place des Fêtes", "language": "fr", "posting": "moderated", **island})
        return self.send("/start/keeper", keeper="Samira", new="sept lampes au bord du canal",
                         again="sept lampes au bord du canal")

    def found(self, keys, name="Belleville"):
        """Choose to found a set."""
        return self.send("/start/set", way="found", set_name=name, keys=str(keys))

    def show(self):
        """Have a key shown, and write it down."""
        self.send("/start/keys/show")
        self.papers.append(WORDS.findall(self.page.partition("<ol")[2].partition("</ol>")[0]))
        return self.papers[-1]

    def check(self, words):
        """Type what is asked for of these words."""
        self.go("/start/keys")
        asked = [int(place) for place in re.findall(r'name="word(\d+)"', self.page)]
        return self.send("/start/keys/check", **{f"word{place}": words[place - 1] for place in asked})

    def write_keys(self, count):
        """Each key, shown and written down."""
        for _key in range(count):
            self.check(self.show())
