"""Everything that looks at the portal's pages with other people's tools: `python tests/web/check.py [LANGUAGE ...]`.

Starts a portal with something of everything on its board, lets `check.mjs` (axe, pa11y, html-validate, Lighthouse) walk
through it in each language, then the Nu HTML checker over the pages it kept. Exit code 1 and a line for each finding.
"""

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

from sample import filled, paths, served  # noqa: E402 - runs from a checkout too

from web.languages import TAGS  # noqa: E402

LIMIT_S = 3000
AT_ONCE = 2
VNU = HERE / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"


def walk(base: str, language: str, folder: Path, pages: list[str]) -> bool:
    """Whether no tool found anything in one language."""
    command = ["node", str(HERE / "check.mjs"), base, language, str(folder), *pages]
    return subprocess.run(command, cwd=HERE, timeout=LIMIT_S, check=False).returncode == 0


def validate(folder: Path) -> bool:
    """Whether the Nu HTML checker has nothing to say about the pages."""
    pages = map(str, sorted(folder.glob("*.html")))
    return subprocess.run(["java", "-jar", str(VNU), *pages], timeout=LIMIT_S, check=False).returncode == 0


def main() -> int:
    """0 when nothing was found."""
    with tempfile.TemporaryDirectory() as scratch:
        place = filled(Path(scratch))
        pages, folder = paths(place), Path(scratch) / "pages"
        folder.mkdir()
        with served(place) as (base,), ThreadPoolExecutor(AT_ONCE) as pool:
            clean = list(pool.map(lambda tag: walk(base, tag, folder, pages), sys.argv[1:] or TAGS))
        clean.append(validate(folder))
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
