"""Cases of the boot test: a box writes the card of another one, which does the same; what goes wrong on the way."""

import contextlib
import gzip
import hashlib
import re
import subprocess
import time
import urllib.request
from functools import partial
from pathlib import Path

from archipel_image.bundle import sha256
from archipel_image.desk_cases import at_desk
from archipel_image.keeping import KEEPER, PASSWORD, BoxKeeper
from archipel_image.sources import program
from archipel_image.testbench import COUNTRY, Bench, board, check, post, wait_for
from archipel_image.vm import PAGE_PATIENCE_S, Card, Machine, free_port, page_of

SLOTS = program("slots")
MIB = SLOTS.MIB
CARD_MIB, WRITE_PATIENCE_S = 2048, 7200
NEEDED = ("island.key", "portal.key", "wipe.code")  # what the giver has, and nobody else


def blank(bench: Bench, name: str, mib: int = CARD_MIB) -> Path:
    """A card as it is bought."""
    path = bench.folder / name
    with path.open("wb") as file:
        file.truncate(mib * MIB)
    return path


def islands_beget_islands(bench: Bench) -> None:
    """A box writes a card with an invitation and its board; that card joins the set by itself, has the board, exchanges a
    post, and writes a third, which holds what the first had of the release and nothing of either box."""
    cable = free_port()
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(Machine(bench.card(bench.settings("Nord", COUNTRY)), cable))
        first.switch_on()
        post(first, "du nord")
        secrets = secrets_of(bench, first)
        image = blank(bench, "second.img")
        took_s = written(bench, first, image, name="Sud", country="FR", invite="1", days="30", board="1", keeper=KEEPER,
                         keeper_password=PASSWORD)
        bench.figures["card_written_s"] = round(took_s)
        check(not starts_with(image, first), "the second card is none of its own")
        second = stack.enter_context(Machine(opened_up(bench, image, "second"), cable))
        bench.figures["second_start_s"] = round(second.switch_on())
        check("du nord" in board(second), "the board did not come with the card")
        check("Sud" in page_of(second.url), "the new island has not the name that was chosen")
        for machine in (first, second):
            machine.plug_cable(True)
        post(second, "du sud")
        wait_for(lambda: "du sud" in board(first), "the new island's post does not come to the first")
        third = blank(bench, "third.img")
        written(bench, second, third, language="es")
        kept = secrets | secrets_of(bench, second)
        bench.shell(first, "sync")
        missing = [name for name, needle in secrets.items() if not first.card.holds(needle)]
        check(not missing, f"not on the first card, so that this case would prove nothing: {missing}")
        card = Card(third, bench.folder / "third", {})
        found = [name for name, needle in kept.items() if card.holds(needle)]
        check(not found, f"on the third card: {found}")
        same_release(first.card, card)


def secrets_of(bench: Bench, machine: Machine) -> dict[str, bytes]:
    """What only this box may have."""
    about = machine.card.path.parent.name
    return {f"{about} {name}": bench.shell(machine, f"cat /data/archipel/keys/{name}").strip().encode() for name in NEEDED}


def written(bench: Bench, machine: Machine, image: Path, **chosen: str) -> float:
    """Have a box write a card by its desk, and take it out; the seconds it took."""
    machine.plug_stick(image)
    try:
        desk = ordered(bench, machine, **chosen)
        began = time.monotonic()
        told(desk, "you can take it")
        return time.monotonic() - began
    finally:
        machine.pull_stick()


def ordered(bench: Bench, machine: Machine, **chosen: str) -> BoxKeeper:
    """At the desk, when the box has begun to write."""
    wait_for(lambda: "sda" in bench.shell(machine, "ls /dev/archipel-reader-* 2>/dev/null || true"), "no reader is found")
    desk = at_desk(machine)
    desk.read("keeper/card")
    desk.press("keeper/card/look")
    pattern = r'href="/(keeper/card/sda/\w+)'
    link = wait_for(lambda: re.search(pattern, desk.read("keeper/card")), "nothing is in the reader")
    desk.read(link[1])
    desk.press(link[1], **chosen)
    desk.press("keeper/card/write")
    return desk


def told(desk: BoxKeeper, sentence: str) -> None:
    """Wait until the page of the card says it."""
    wait_for(lambda: sentence in checked(desk.read("keeper/card")), f"nobody is told: {sentence}", WRITE_PATIENCE_S)


def checked(page: str) -> str:
    """A page of the desk; Trouble if it tells of a failure."""
    trouble = re.search(r'role="alert">(.*?)</', page, re.DOTALL)
    if trouble and "you can take it" not in page:
        raise ValueError(re.sub("<[^>]+>", " ", trouble[1]))
    return page


def said(desk: BoxKeeper, sentence: str) -> bool:
    """Whether the page of the card says it now, be it a failure."""
    return sentence in desk.read("keeper/card")


def opened_up(bench: Bench, image: Path, name: str) -> Card:
    """A card that a box wrote, with a remote shell for this bench: a line of its settings."""
    card = Card(image, bench.folder / name, {})
    settings = (card.read("archipel.toml") or b"").decode()
    card.put("archipel.toml", settings.replace("[box]", bench.shell_only().strip(), 1))
    return card


def starts_with(image: Path, machine: Machine) -> bool:
    """Whether a card has no partition table, or begins as that of a running box does (with its four partitions)."""
    with image.open("rb") as other, machine.card.path.open("rb") as own:
        first = other.read(512)
        return first[510:] != b"\x55\xaa" or first == own.read(512)


def same_release(one: Card, other: Card) -> None:
    """The root and every file of the release are the same on two cards."""
    check(one.root_digest() == other.root_digest(), "the roots differ")
    for name in ("a/vmlinuz", "a/initrd.img", "a/cmdline", "a/release", "u-boot.bin", "boot.scr", "config.txt",
                 "bootcode.bin"):
        check(one.read(name) == other.read(name) is not None, f"{name} differs")


def wrong_cards(bench: Bench) -> None:
    """A card that is too small, one that is pulled out, one whose box loses its power: none starts, and that is told; the
    box's own card is never offered; the last is written again, by command."""
    machine, image = bench.founded(), blank(bench, "pulled.img")
    machine.plug_stick(blank(bench, "small.img", 64))
    desk = at_desk(machine)
    desk.read("keeper/card")
    desk.press("keeper/card/look")
    page = wait_for(lambda: "too small" in desk.read("keeper/card") and desk.page, "a small card is not told")
    check("keeper/card/sda/" not in page and "/vda/" not in page, "a card is offered that must not be")
    machine.pull_stick()
    for way in ("pulled", "cut"):
        machine.plug_stick(image)
        desk = ordered(bench, machine, name="Essai", country="FR")
        told(desk, "being written")
        if way == "pulled":
            machine.pull_stick()
            wait_for(partial(said, desk, "pulled out"), "nobody is told that the card was pulled out")
        else:
            machine.pull_the_plug()
            machine.switch_on()
        with image.open("rb") as file:
            check(file.read(512) == bytes(512), f"a card that was {way} could start")
    machine.plug_stick(image)
    written_by_command(bench, machine)
    machine.pull_stick()
    with image.open("rb") as file:
        check(file.read(512)[510:] == b"\x55\xaa", "a card that is written again does not start")


def written_by_command(bench: Bench, machine: Machine) -> None:
    """Have a box write the card in its reader by `archipel card`, as somebody with the remote shell would."""
    wait_for(lambda: "sda: 2.1 GB" in bench.archipel(machine, "card"), "the command shows no reader")
    said = machine.shell("LANG=en archipel card sda --yes --name Essai --country FR 2>&1", bench.key, WRITE_PATIENCE_S)
    check("you can take it" in said, f"the command says: {said}")


def restarted_beside_another_card(bench: Bench) -> None:
    """A box that starts with a used card of another box in its reader runs from its own and writes nothing to the other,
    though both have the same numbers and names."""
    machine = bench.alone()
    post(machine, "avant la copie")
    bench.shell(machine, "sync")
    other = bench.folder / "other.img"
    subprocess.run(["cp", "--sparse=always", str(machine.card.path), str(other)], check=True)
    digest = sha256(other)
    post(machine, "après la copie")
    bench.shell(machine, "sync")
    machine.pull_the_plug()
    machine.log.unlink()  # what follows is of this start
    machine.put_the_plug_in()
    # later than U-Boot's choice: that of QEMU's board starts from USB before all else, a Pi's from its slot
    wait_for(lambda: "Archipel: slot" in machine.log.read_text(errors="replace"), "U-Boot starts nothing")
    machine.plug_stick(other)
    machine.wait_for_portal()
    wait_for(lambda: bench.shell(machine, "ls /dev/archipel-reader-sda"), "the other card is not seen: nothing was tried")
    own = bench.shell(machine, "findmnt -no SOURCE /data /boot/firmware; readlink -f /dev/disk/by-partuuid/a2c41b70-*")
    check(own.count("/dev/vda") == len(own.split()) > len(SLOTS.SLOTS), f"the box uses another card than its own: {own}")
    check("après la copie" in board(machine), "the board is that of another card")
    machine.pull_stick()
    check(sha256(other) == digest, "the other card was written to")


def downloaded(bench: Bench) -> None:
    """The image that a box gives away is the one that it was made from, octet by octet; pages come meanwhile."""
    machine = bench.alone()
    sums = wait_for(lambda: page_of(machine.url + "image.sha256"), "no checksum").split()
    with urllib.request.urlopen(machine.url + "image", timeout=PAGE_PATIENCE_S) as answer:
        check("</html>" in page_of(machine.url), "no page comes while an image is downloaded")
        packed = answer.read()
    check(hashlib.sha256(packed).hexdigest() == sums[0], "the download is not what its checksum says")
    image = gzip.decompress(packed)
    check(hashlib.sha256(image).hexdigest() == sums[2], "the image is not what its checksum says")
    check(image == bench.image.read_bytes()[:len(image)], "the image is not the one that this box was made from")
    bench.figures["download_mib"] = len(packed) // MIB
