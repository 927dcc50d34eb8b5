"""What disks, cards and sticks of anybody say of themselves, as the box's programs read it: its tables, its labels, the boot
state in a sector of a card; and whether a file on a stick is an order to wipe."""

import struct
import tempfile
import zlib
from pathlib import Path

from archipel_image.sources import program
from node.daemon.wipecode import LETTERS, MOST_LENGTH, START_LENGTH, code_of, holds_code, is_code
from tests.fuzz.kinds import OVERLAY, Target
from tests.fuzz.seeding import MEMORY

READERS, STICK, SLOTS, WIPE = (program(name) for name in ("readers", "stick_partition", "slots", "wipe_stick"))
PART = b"\n==\n"
CODE = code_of(bytes(range(40, 52)))


def run(octets):
    text = octets.decode("utf-8", "replace")
    assert all(type(start) is type(size) is int for start, size in READERS.parts_in(text))
    told = [READERS.told_in(part) for part in text.split(PART.decode())]
    assert all("=" not in name and "\n" not in name + value for one in told for name, value in one.items())
    parts = [STICK.Part(f"sda{number}", len(part), part) for number, part in enumerate(told)]
    assert STICK.chosen(parts) in (None, *(part.name for part in parts))
    state(octets)
    wiping(octets)
    assert not is_code(text) or (sum(sign.isalnum() for sign in text) >= START_LENGTH and len(text) >= START_LENGTH)
    assert holds_code(text + " ".join(CODE.lower()), CODE) and len(CODE) < MOST_LENGTH and set(CODE) <= {*LETTERS, "-"}


def state(octets):
    """A sector as it is, and with the sum that it should have."""
    held = octets[:SLOTS.SECTOR_BYTES - 4].ljust(SLOTS.SECTOR_BYTES - 4, b"\0")
    for block in (octets, struct.pack("<I", zlib.crc32(held)) + held):
        found = SLOTS.state_in(block)
        if found is not None:
            assert found.slot in SLOTS.SLOTS and found.trial in ("", SLOTS.other(found.slot)) and found.tries >= 0
            assert SLOTS.state_in(found.block()) == SLOTS.BootState(found.slot, found.trial, found.tries if found.trial else 0)


def wiping(octets):
    """A stick with one file: its name, a newline, its content."""
    name, _, content = octets.partition(b"\n")
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        stick, data = Path(folder) / "stick", Path(folder) / "data"
        stick.mkdir()
        (data / "keys").mkdir(parents=True)
        (data / "keys" / "wipe.code").write_text(CODE)
        settings, notices = Path(folder) / "archipel.toml", Path(folder) / "notices"
        settings.write_text("[box]\n")
        plain = name[:60].replace(b"/", b"").replace(b"\0", b"") or b"archipel-wipe.txt"
        if plain not in (b".", b".."):
            (Path(folder) / "stick").joinpath(plain.decode("utf-8", "surrogateescape")).write_bytes(content)
        status = WIPE.main(stick, data, settings, notices)
        assert status in (WIPE.WIPE, WIPE.NO_ORDER, WIPE.NOT_THIS_BOX)
        assert status != WIPE.WIPE or any(sign in content for sign in CODE[:1].encode() + CODE[:1].lower().encode())
        assert notices.exists() == (status == WIPE.NOT_THIS_BOX)


def seeds():
    yield b'{"partitiontable": {"sectorsize": 512, "partitions": [{"start": 2048, "size": 9}, {"start": 1, "size": 2}]}}'
    for table in (b"[]", b"7", b"null", b'{"partitions": 7}', b'{"partitions": [7]}', b'{"sectorsize": "x"}', b'{"sectorsize": 1e999}', b'"x"',
                  b'{"sectorsize": "' + b"1" * 5_000 + b'"}', b'{"partitions": [{"start": Infinity, "size": 1}]}', b'{"partitions": [{"start": 1}]}'):
        yield b'{"partitiontable": ' + table + b"}"
    yield from (b"[" * 3_000, b"", b"{", b"[]")
    fat = b"TYPE=vfat\nLABEL=ARCHIPEL\nPART_ENTRY_TYPE="
    yield PART.join((fat + b"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", fat + b"0x0c\nUSAGE", b"TYPE=ext4", b"TYPE=swap", fat + b"0xEF"))
    yield fat + b"0xc\nPART_ENTRY_FLAGS=0x4000000000000000" + PART + fat + b"0xc\nPART_ENTRY_UUID=a2c41b70-01"
    yield fat + b"0xc\nPART_ENTRY_FLAGS=zz"
    yield from (b"slot=a\0\0", b"slot=b\0trial=a\0tries=3\0\0", b"slot=a\0trial=a\0\0", b"slot=c\0\0", b"slot=a\0trial=b\0tries=x\0\0", b"slot\0\0", b"\0\0",
                   b"slot=a\0trial=b\0tries=99999999\0\0", b"SLOT=a\0\0", b"slot=a\0slot=b\0\0", b"slot=\xff\0\0")
    yield SLOTS.BootState("b", "a", 2).block()
    for name in (b"archipel-wipe.txt", b"Archipel_Wipe (1).TXT", b"._archipel-wipe.txt", b"archipel wipe", b"notes.txt", b"archipel-wipe\xff", b""):
        for content in (CODE.encode(), CODE.lower().encode(), b"\xff\xfe" + CODE.encode("utf-16-le"), b"", b"x" * 3_000, CODE[:9].encode(),
                        b"{\\rtf1 " + CODE.encode() + b"}", CODE.replace("0", "O").encode()):
            yield name + b"\n" + content


TARGET = Target(run, (f"{OVERLAY}/readers.py: parts_in told_in", f"{OVERLAY}/stick_partition.py: chosen _for_files", f"{OVERLAY}/slots.py: state_in",
                      f"{OVERLAY}/wipe_stick.py: main named_so plain_content any_stick code_in", "node/daemon/wipecode.py: holds_code is_code _bare"), seeds, 2_048, (
    b'{"partitiontable": {"partitions": [{"start": ', b"TYPE=vfat\n", b"PART_ENTRY_FLAGS=0x", b"slot=a\0", b"trial=b\0", b"archipel-wipe.txt\n", PART), aside={
        "a box where any stick will do: tests/image/test_wiping.py": ("if texts and any_stick",)})
