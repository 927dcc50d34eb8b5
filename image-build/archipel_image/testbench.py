"""What the cases of the boot test share: cards, booted machines, figures, and ways to ask and to wait."""

import contextlib
import html
import http.client
import itertools
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from archipel_image.keeping import CODE_FILE, BoxKeeper
from archipel_image.vm import PAGE_PATIENCE_S, Card, Machine, Trouble, free_port, page_of
from node.cli.selftest import post_by_form

EXCHANGE_PATIENCE_S = 3600
COUNTRY = 'country = "FR"\n'
KEEPER = 'keeper = "Essai"\nkeeper_password = "colza brouette nuage 48"\n'


class Bench:
    """Where a run keeps its cards, its booted machines, its key to the boxes' shells and its figures.

    Starting an emulated machine takes a minute or more, so cases share four: `alone`, `founded`, and the pair
    `north` and `south`.
    """

    def __init__(self, image: Path, folder: Path, cuts: int, seed: int):
        self.image, self.folder, self.cuts, self.seed = image, folder, cuts, seed
        self.figures: dict[str, float | int | str] = {"image_mib": image.stat().st_size >> 20, "seed": seed}
        squeezed = Path(f"{image}.xz")
        if squeezed.exists():
            self.figures["compressed_mib"] = squeezed.stat().st_size >> 20
        self.key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "boottest", "-f", str(self.key)], check=True)
        self._numbers = itertools.count()
        self._shared: dict[str, Machine] = {}
        self._running = contextlib.ExitStack()

    def settings(self, name: str = "Île d'essai", more: str = "") -> str:
        """A settings file that opens a remote shell to this bench, and names a keeper, so that nothing is asked."""
        keeper = "" if "keeper = " in more else KEEPER
        return f'[node]\nname = "{name}"\n{self.shell_only()}{keeper}{more}'

    def shell_only(self) -> str:
        """A settings file that opens a remote shell to this bench, and says nothing else: the portal asks the rest."""
        return f'[box]\nssh_key = "{self.key.with_suffix(".pub").read_text().strip()}"\n'

    def card(self, settings: str | None = None, files: dict[str, str | bytes] | None = None) -> Card:
        """A fresh card."""
        given: dict[str, str | bytes] = {"archipel.toml": self.settings() if settings is None else settings}
        return Card(self.image, self.folder / f"card{next(self._numbers)}", given | (files or {}))

    def alone(self) -> Machine:
        """A box with a name and nothing else in its settings, started."""
        if "alone" not in self._shared:
            self._shared["alone"] = machine = self._running.enter_context(Machine(self.card()))
            self.figures["first_start_s"] = round(machine.switch_on())
        return self._shared["alone"]

    def pair(self) -> tuple[Machine, Machine]:
        """Two boxes of one set, started, with a Wi-Fi country; nothing between them yet."""
        if "north" not in self._shared:
            cable = free_port()
            north = self._running.enter_context(Machine(self.card(self.settings("Nord", COUNTRY)), cable))
            north.switch_on()
            self.archipel(north, "invite --no-qr --out /tmp/invitation")
            invited: dict[str, str | bytes] = {"invitation.txt": self.shell(north, "cat /tmp/invitation")}
            south = self._running.enter_context(Machine(self.card(self.settings("Sud", COUNTRY), invited), cable))
            south.switch_on()
            notices = self.shell(south, "cat /run/archipel-box/notices")
            check(not notices, f"the second box did not join: {notices}")
            self._shared |= {"north": north, "south": south}
        return self._shared["north"], self._shared["south"]

    def founded(self) -> Machine:
        """A box whose island was made on the page `/start`, which the code on its card opens."""
        if "founded" not in self._shared:
            machine = self._running.enter_context(Machine(self.card(self.shell_only())))
            machine.switch_on()
            told = wait_for(lambda: machine.card.read(CODE_FILE), "the code is not on the card")
            check(redirect_of(urllib.request.Request(machine.url)) == "/start", "the first page does not lead to /start")
            began = time.monotonic()
            BoxKeeper(machine).found(told.decode("utf-8-sig").split()[0])
            wait_for(BoxKeeper(machine).sign_in, "the island does not begin")
            self.figures["founded_s"] = round(time.monotonic() - began)
            self._shared["founded"] = machine
        return self._shared["founded"]

    def give_up(self, name: str) -> None:
        """Switch one of the shared machines off; who asks next for it gets a new one."""
        self._shared.pop(name).pull_the_plug()

    def drop(self) -> None:
        """Switch the shared machines off; who asks next gets new ones."""
        self._running.close()
        self._shared.clear()

    def shell(self, machine: Machine, command: str) -> str:
        """What a command prints in a box."""
        return machine.shell(command, self.key)

    def archipel(self, machine: Machine, command: str) -> str:
        """What Archipel's own command line says in a box."""
        return self.shell(machine, f"LANG=en archipel {command}")


def check(right: bool, otherwise: str) -> None:
    """Raise Trouble unless it is right."""
    if not right:
        raise Trouble(otherwise)


def wait_for(happened: Callable[[], Any], otherwise: str, patience_s: float = EXCHANGE_PATIENCE_S) -> Any:
    """Wait until it happened, through whatever restarts meanwhile; what it gave."""
    give_up_at = time.monotonic() + patience_s
    while time.monotonic() < give_up_at:
        with contextlib.suppress(OSError, http.client.HTTPException, Trouble, subprocess.TimeoutExpired):
            if given := happened():
                return given
        time.sleep(2)
    raise Trouble(otherwise)


def post(machine: Machine, text: str) -> None:
    """Post a bulletin, again if an overloaded emulation answers too late."""
    def posted() -> bool:
        post_by_form(machine.url, text, PAGE_PATIENCE_S)
        return True

    wait_for(posted, f"{text!r} cannot be posted")


UNREAD = '<p class="v">'  # on a page of the board: posts that the island, just started, has still to read (unread.html)


def board(machine: Machine) -> str:
    """Everything that the portal lists as bulletins, page after page, once it has read all of it."""
    return wait_for(lambda: _board(machine), "the board cannot be read")


def _board(machine: Machine) -> str:
    pages, address = [], "bulletins"
    while address:
        page = page_of(machine.url + address)
        if UNREAD in page:
            return ""
        pages.append(page)
        older = re.search('rel="next" href="/([^"]+)"', page)  # links to other languages name the same page again
        address = html.unescape(older[1]) if older else ""
    return "\n".join(pages)


def redirect_of(request: urllib.request.Request) -> str:
    """Where a request is sent on to, "" if it is answered."""
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    try:
        urllib.request.build_opener(Stay).open(request, timeout=60)
    except urllib.error.HTTPError as answer:
        return answer.headers.get("Location", "")
    return ""
