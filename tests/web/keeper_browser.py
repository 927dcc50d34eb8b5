"""A keeper at a browser: signs in, follows links, fills in forms and presses their buttons, without script."""

import html
import re
from dataclasses import replace

from tests.sim.portals import PASSWORD, PASSWORD_HASH, portal_settings
from web import create_app
from web.pages import MAX_PAGE_BYTES


class Browser:
    """A keeper who is signed in, and follows what the pages offer. `portal`: the island's own, if it has one; `password`:
    of who is a keeper already."""

    def __init__(self, island, portal=None, name="lea", password=""):
        if not password:
            island.board.notes.update(lambda state: replace(state, keepers={**state.keepers, name: PASSWORD_HASH}))
        self.portal = (portal or create_app(island.board, portal_settings())).test_client()
        self.sign_in(name, password or PASSWORD)

    def sign_in(self, name, password):
        """From the first page, by what to do when something goes wrong, to the desk."""
        self.get("/")
        for label in ("Learn more", "When something goes wrong", "To the keepers’ desk"):
            self.follow(label)
        assert self.press("Sign in", name=name, password=password) == 303, self.says

    def get(self, path, lang="en"):
        mark = "&" if "?" in path else "?"
        answer = self.portal.get(f"{path}{mark}lang={lang}")
        self.page = answer.get_data(as_text=True)
        assert answer.status_code == 200, (path, answer.status_code)
        assert len(self.page.encode()) < MAX_PAGE_BYTES, path
        return self.page

    def press(self, label, **typed):
        """Send the form with this button, as the page has filled it in, with what is typed; follow to the next page."""
        forms = [form for form in re.findall(r"<form.*?</form>", self.page, re.S) if re.search(f">{label} ?<", form)]
        assert forms, (label, words_of(self.page))
        action = html.unescape(re.search(r'action="([^"]*)"', forms[0]).group(1))
        given = re.findall(r'<input[^>]*name="([^"]*)"[^>]*?value="([^"]*)"', forms[0])
        fields = {name: html.unescape(value) for name, value in given if f'name="{name}" type="checkbox"' not in forms[0]}
        answer = self.portal.post(action, data={**fields, **typed}, content_type="multipart/form-data")
        if answer.status_code == 303:
            self.get(html.unescape(answer.headers["Location"]))
        else:
            self.page = answer.get_data(as_text=True)
        return answer.status_code

    def follow(self, label):
        address = re.search(rf'<a[^>]*href="([^"]*)"[^>]*>(?:<bdi>)?{re.escape(label)}', self.page)
        assert address, (label, words_of(self.page))
        return self.get(html.unescape(address.group(1)))

    @property
    def says(self):
        return words_of(self.page)


def words_of(page):
    main = page.partition("<main")[2].partition("</main>")[0] or page
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())
