"""The street map under the map of gatherings: what `archipel map` draws of an OpenStreetMap extract, kept and shown.

It is a square of streets, water, rails, green and names, north up. Whatever file it comes in, only what has the form that
is written here is taken from it, and the picture is put together anew: no link, script or style of somebody else's is kept.
"""

import math
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape, unescape

from node.board.api import DraftRefused, Problem
from node.board.reasons import ProblemCode
from node.model.visible_text import plain

HALF = 500  # units of the drawing from its middle to each side
MAX_MAP_BYTES, MAX_MAP_GZIP_BYTES = 60_000, 20_000
FRONT_GZIP = 4  # the level at which nginx compresses for the SD image
MAX_FILE_BYTES = 4 * MAX_MAP_BYTES  # of a file that is handed in: room for what an editor adds
MAX_NAMES, MAX_NAME = 120, 40  # characters
RADII_M, USUAL_RADIUS_M = (250, 500, 1_000, 2_000, 5_000), 1_000  # of the scales of the page, so that a map fills one
MIN_REACH_M, MAX_REACH_M = 100, 20_000
MARGIN = 150 / 138  # a map drawn for a radius reaches a little farther, as the chart that lies on it does
CREDIT = "© OpenStreetMap contributors (ODbL)"
FONT = 32  # units: 9.6 px on a screen of 320, where the drawing is 300 px wide; placed so that none covers another
BASELINE = 0.35  # of the letters' height, from the middle of a line of text down to what it stands on
LEAST_ZOOM = 0.7  # seen from farther away names would cover each other
GROUNDS = ("sea", "green", "water", "square")  # areas, from below to above
STREAMS = ("stream", "river")
STREETS = ("path", "alley", "street", "road", "avenue")
KINDS = (*GROUNDS, *STREAMS, *STREETS, "rail")
WIDTHS = {"stream": 3.0, "river": 7.0, "path": 1.6, "alley": 3.6, "street": 5.5, "road": 8.0, "avenue": 11.0, "rail": 2.4}
CASING = 2.6  # units on both sides together
THINNING = -0.7  # seen twice as near, a street is 1.2 times as wide
DASH = 8  # units
LOOKS = {  # by class of the style: by day, in the dark
    "land": ("#fbf9f4", "#1b1e21"), "sea": ("#b5d7e8", "#17384f"), "water": ("#b5d7e8", "#17384f"),
    "green": ("#cfe6bf", "#203a26"), "square": ("#f0d9b0", "#4a3f29"), "stream": ("#b5d7e8", "#24567a"),
    "river": ("#b5d7e8", "#24567a"), "path": ("#a8977a", "#7a715f"), "alley": ("#fff", "#3b4045"),
    "street": ("#fff", "#4a5056"), "road": ("#fff1b8", "#6b6340"), "avenue": ("#ffd98a", "#80693a"),
    "casing": ("#948b7c", "#0e1012"), "rail": ("#5a5a5a", "#9a9a9a"), "word": ("#26221c", "#f1eee6"),
    "halo": ("#fff", "#101214"), "blue": ("#1d5a80", "#9fd0ee"), "leaf": ("#2f6128", "#a5d69a"),
}
SORTS = {"p": ("word", 1.0, True), "q": ("word", 0.9, True), "k": ("word", 0.85, False), "s": ("word", 0.85, False),
         "w": ("blue", 0.9, False), "g": ("leaf", 0.85, False)}  # what a name names: its look, its size, whether bold
STYLE = "@media(prefers-color-scheme:dark){" + "".join(
    f".{name}{{fill:{dark}}}" if name in (*GROUNDS, "land", "word", "blue", "leaf") else f".{name}{{stroke:{dark}}}"
    for name, (_day, dark) in LOOKS.items()) + "}"
PATH_LINE = re.compile(r'<path id="([a-z]{1,8})"[^<>]* d="([Mlz0-9 -]+)"/>')
PATH = re.compile(r"(?:M-?\d{1,3}[ -]\d{1,3}l-?\d{1,4}[ -]\d{1,4}(?:(?: |(?=-))-?\d{1,4}[ -]\d{1,4})*z?)+")
NAME_LINE = re.compile(r'<text class="[a-z]+ ([a-z])([0-2])"[^<>]* transform="translate\((-?\d{1,3}) (-?\d{1,3})\)'
                       r'(?: rotate\((-?\d{1,2})\))?" dy="(-?\d\.\d\d)em">([^<>]{1,300})</text>')
HEAD_LINE = re.compile(r'<svg [^<>]*data-around="(-?\d{1,2}\.\d{1,7}),(-?\d{1,3}\.\d{1,7})" data-reach="(\d{3,5})"')


@dataclass(frozen=True)
class StreetName:
    """A name at a point of the drawing, in its units, turned by `turn` degrees.

    It stands `below` the point by tenths of its letters' height. `level` 0 is seen from afar, 1 and 2 when the map is seen
    twice and four times as near. `sort` is a key of SORTS.
    """

    x: int
    y: int
    turn: int
    below: int
    level: int
    sort: str
    text: str


@dataclass(frozen=True)
class StreetMap:
    """A square around `centre` (latitude, longitude), `reach_m` metres from its middle to each side; `paths` are SVG path
    data by kind."""

    centre: tuple[float, float]
    reach_m: int
    paths: Mapping[str, str] = field(default_factory=dict)
    names: tuple[StreetName, ...] = ()

    @property
    def radius_m(self) -> float:
        """For which radius it was drawn."""
        return self.reach_m / MARGIN

    def svg(self, span_m: float | None = None) -> str:
        """The drawing, as thick and with as many names as do good on a chart of `span_m` metres; None: a file of it all."""
        zoom = self.radius_m / span_m if span_m else 1.0
        return (f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
                f'viewBox="-{HALF} -{HALF} {2 * HALF} {2 * HALF}" width="{2 * HALF}" height="{2 * HALF}" '
                f'data-around="{self.centre[0]:.5f},{self.centre[1]:.5f}" data-reach="{self.reach_m}">\n'
                f"<title>{CREDIT}</title><style>{STYLE}</style>\n{self.drawn(zoom, whole=not span_m)}</svg>\n")

    def drawn(self, zoom: float, whole: bool = False) -> str:
        """What the drawing holds, to be put into another one; `whole`: with the names that are seen from nearer, hidden."""
        thin = zoom ** THINNING
        lines = [f'<rect class="land" x="-{HALF}" y="-{HALF}" width="{2 * HALF}" height="{2 * HALF}" '
                 f'fill="{LOOKS["land"][0]}"/>']
        lines += [_shape(kind, self.paths[kind], f' class="{kind}" fill="{LOOKS[kind][0]}" fill-rule="evenodd"')
                  for kind in GROUNDS if kind in self.paths]
        lines += ['<g fill="none" stroke-linejoin="round" stroke-linecap="round">']
        lines += [_shape(kind, self.paths[kind], _stroke(kind, WIDTHS[kind] * thin))
                  for kind in STREAMS if kind in self.paths]
        streets = [kind for kind in STREETS if kind in self.paths]
        lines += ["<defs>", *(_shape(kind, self.paths[kind]) for kind in streets), "</defs>"]
        # casings first, so that streets run into each other where they meet
        lines += [_use(kind, _stroke("casing", (WIDTHS[kind] + CASING) * thin)) for kind in streets if kind != "path"]
        lines += [_use(kind, _stroke(kind, WIDTHS[kind] * thin)) for kind in streets]
        if "rail" in self.paths:
            dashes = f' stroke-linecap="butt" stroke-dasharray="{DASH * thin:.1f} {DASH * thin / 2:.1f}"'
            lines.append(_shape("rail", self.paths["rail"], _stroke("rail", WIDTHS["rail"] * thin) + dashes))
        return "\n".join([*lines, "</g>", *self._lettering(zoom, whole)]) + "\n"

    def _lettering(self, zoom: float, whole: bool) -> Iterator[str]:
        size = FONT / zoom
        if not whole and zoom < LEAST_ZOOM:
            return
        level = math.log2(zoom) + 0.2
        yield _use("names", _stroke("halo", size / 5) + ' stroke-linejoin="round"')
        yield '<g id="names" font-family="sans-serif" text-anchor="middle">'
        yield from (_lettered(name, size, name.level > level) for name in self.names if whole or name.level <= level)
        yield "</g>"

    def weights(self) -> tuple[int, int]:
        """Octets of the file, plain and as the front compresses it."""
        plain = self.svg().encode()
        return len(plain), len(zlib.compress(plain, FRONT_GZIP)) + 12  # what gzip's frame is longer than zlib's


def _shape(kind: str, path: str, look: str = "") -> str:
    return f'<path id="{kind}"{look} d="{path}"/>'


def _use(name: str, look: str) -> str:
    return f'<use xlink:href="#{name}"{look}/>'


def _stroke(look: str, width: float) -> str:
    return f' class="{look}" stroke="{LOOKS[look][0]}" stroke-width="{width:.1f}"'


def _lettered(name: StreetName, size: float, hidden: bool) -> str:
    look, scale, bold = SORTS[name.sort]
    turned = f" rotate({name.turn})" if name.turn else ""
    more = ' font-weight="700"' * bold + ' display="none"' * hidden
    return (f'<text class="{look} {name.sort}{name.level}" fill="{LOOKS[look][0]}" font-size="{size * scale:.1f}"{more} '
            f'transform="translate({name.x} {name.y}){turned}" dy="{name.below / 10 + BASELINE:.2f}em">'
            f"{escape(name.text)}</text>")


def street_map_of(raw: bytes) -> StreetMap:
    """The map in a file that `archipel map` wrote; raises DraftRefused, codes `street-map` and `street-map-bytes`."""
    if len(raw) > MAX_FILE_BYTES:
        raise DraftRefused([Problem("street_map", ProblemCode.STREET_MAP_BYTES, MAX_MAP_BYTES // 1000)])
    text = raw.decode("utf-8", "replace")
    head = HEAD_LINE.search(text)
    paths = {kind: path for kind, path in PATH_LINE.findall(text) if kind in KINDS and PATH.fullmatch(path)}
    if head is None or not paths:
        raise DraftRefused([Problem("street_map", ProblemCode.STREET_MAP)])
    found = (NAME_LINE.fullmatch(line) for line in text.splitlines())
    names = [_name(one) for one in found if one and one[1] in SORTS]
    made = StreetMap((float(head[1]), float(head[2])), int(head[3]), paths, tuple(names[:MAX_NAMES]))
    return checked(made)


def _name(found: re.Match[str]) -> StreetName:
    sort, level, x, y, turn, down, said = found.groups()
    below = round(10 * (float(down) - BASELINE))
    return StreetName(int(x), int(y), int(turn or 0), below, int(level), sort, plain(unescape(said))[:MAX_NAME])


def checked(street_map: StreetMap) -> StreetMap:
    """The same, if it is a place on earth and as light as it may be; raises DraftRefused as `street_map_of`."""
    latitude, longitude = street_map.centre
    if not (abs(latitude) <= 85 and abs(longitude) <= 180 and MIN_REACH_M <= street_map.reach_m <= MAX_REACH_M):
        raise DraftRefused([Problem("street_map", ProblemCode.STREET_MAP)])
    plainly, compressed = street_map.weights()
    if plainly > MAX_MAP_BYTES or compressed > MAX_MAP_GZIP_BYTES:
        raise DraftRefused([Problem("street_map", ProblemCode.STREET_MAP_BYTES, MAX_MAP_BYTES // 1000)])
    return street_map
