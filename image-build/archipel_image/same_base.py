"""`make same-base`: whether the same packages give the same base, octet by octet. By hand: it takes half an hour."""

import hashlib
import sys
import tempfile
from pathlib import Path

from archipel_image.base import CACHE, base_tar, make_base
from archipel_image.layers import read_tar


def differing(one: Path, two: Path) -> list[str]:
    """The names of what is not the same in two tars: content, owner, mode, time, or there at all."""
    held = [{info.name: (info.get_info(), hashlib.sha256(content).digest()) for info, content in read_tar(path, bool)}
            for path in (one, two)]
    return sorted(name for name in held[0].keys() | held[1].keys() if held[0].get(name) != held[1].get(name))


def main() -> int:
    """Make the base again and compare it with the one that is kept; the exit status. Give a snapshot as $MIRROR."""
    kept = base_tar(CACHE)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        again = Path(folder) / "base.tar"
        make_base(again)
        names = differing(kept, again)
        same = not names and kept.read_bytes() == again.read_bytes()
    print("\n".join(names) or ("the same, octet by octet" if same else "the same files, packed in another way"))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
