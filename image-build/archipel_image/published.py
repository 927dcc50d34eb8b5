"""The folder that is published of a release, signed as a whole: what `make release` adds to what `make image` made.

`python -m archipel_image.published FOLDER KEY` holds a folder against its list; KEY is the public key, 64 hex digits, as
`make release` prints it. It says what differs, and exits with 1.

    release.list                 "archipel release 1" | a line of JSON | signature (overlay/usr/lib/archipel/signed.py)
    archipel-VERSION.spdx.json   what the image is made of, as SPDX 2.3: each Debian package with version, SHA-256, licences
    CHANGES.md                   the changelog's part
"""

import hashlib
import json
import re
import sys
import time
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archipel_image.bundle import sha256, signed_head
from archipel_image.layers import read_tar
from archipel_image.sources import PROJECT, program

KIND, LIST = b"archipel release 1\n", "release.list"
MAX_TOTAL_BYTES = 8 << 30
LICENCE = re.compile(r"(?m)^License: *(\S.{0,79})$")
COPYRIGHT = re.compile(r"usr/share/doc/([^/]+)/copyright")


def sign_folder(folder: Path, version: str, key: Ed25519PrivateKey) -> Path:
    """Write the signed list of everything in a folder; its path."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != LIST)
    files = [[name, (folder / name).stat().st_size, sha256(folder / name)] for name in names]
    (folder / LIST).write_bytes(signed_head(KIND, {"version": version, "files": files}, key))
    return folder / LIST


def differences(folder: Path, public: bytes) -> list[str]:
    """The names in a folder that are not as its list says, or not in it. UpdateRefused: the list is not signed."""
    with (folder / LIST).open("rb") as stream:
        manifest, _ = read_list(stream, public)
    listed = {name: digest for name, _, digest in manifest["files"]}
    there = {path.name for path in folder.iterdir()} - {LIST}
    return sorted(name for name in there | set(listed)
                  if name not in there or listed.get(name) != sha256(folder / name))


def read_list(stream: BinaryIO, public: bytes) -> tuple[dict, bytes]:
    """The list, its signature checked. Raises UpdateRefused."""
    return program("signed").read_head(stream, public, KIND, MAX_TOTAL_BYTES)


def changes(text: str, version: str) -> str:
    """The part of the changelog that is about a version."""
    found = re.search(rf"(?ms)^## {re.escape(version)}\b.*?(?=^## |\Z)", text)
    return found[0].rstrip() + "\n" if found else ""


def write_changes(folder: Path, version: str) -> None:
    """Write the changelog's part into the folder."""
    (folder / "CHANGES.md").write_text(changes((PROJECT / "CHANGELOG.md").read_text(), version))


def licences_of(base: Path) -> dict[str, list[str]]:
    """The licences that a base's packages name, package -> names, from their copyright files (DEP-5; others name none)."""
    found = {}
    for info, content in read_tar(base, COPYRIGHT.fullmatch):
        name = COPYRIGHT.fullmatch(info.name)
        if name and (named := sorted(set(LICENCE.findall(content.decode(errors="replace"))))):
            found[name[1]] = named
    return found


def write_spdx(target: Path, packages: str, licences: dict[str, list[str]], version: str, moment: int) -> None:
    """Write the list of packages (`NAME VERSION SHA256` a line) as an SPDX 2.3 document."""
    listed = [line.split() for line in packages.splitlines()]
    own = {"SPDXID": "SPDXRef-archipel", "name": "archipel", "versionInfo": version, "downloadLocation": "NOASSERTION",
           "licenseDeclared": "AGPL-3.0-or-later", "supplier": "NOASSERTION"}
    debian = [{
        "SPDXID": f"SPDXRef-{re.sub('[^A-Za-z0-9.-]', '-', name)}", "name": name, "versionInfo": debian_version,
        "downloadLocation": "NOASSERTION", "supplier": "Organization: Debian", "licenseDeclared": "NOASSERTION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": f"pkg:deb/debian/{name}@{debian_version}?distro=trixie"}],
        **({"licenseComments": "; ".join(licences[name])} if name in licences else {}),
    } for name, debian_version, digest in listed]
    told = {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"archipel-{version}",
        "documentNamespace": f"urn:sha256:{hashlib.sha256(packages.encode()).hexdigest()}:archipel-{version}",
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)),
                         "creators": ["Tool: archipel-image-build"]},
        "packages": [own, *debian],
        "relationships": [related("SPDXRef-DOCUMENT", "DESCRIBES", own),
                          *(related(own["SPDXID"], "DEPENDS_ON", one) for one in debian)],
    }
    target.write_text(json.dumps(told, indent=1) + "\n")


def related(one: str, how: str, other: dict) -> dict[str, str]:
    """A relationship of SPDX."""
    return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other["SPDXID"]}


def main(folder: str, key: str) -> int:
    """The exit status."""
    try:
        wrong = differences(Path(folder), bytes.fromhex(key))
    except (OSError, ValueError, program("signed").UpdateRefused) as error:
        print(f"{folder}: {error}", file=sys.stderr)
        return 1
    for name in wrong:
        print(f"{name}: not as released", file=sys.stderr)
    if not wrong:
        print(f"{folder}: all as released")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
