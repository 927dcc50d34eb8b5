"""QR codes drawn in the page itself."""

import io

import segno
from markupsafe import Markup


def qr(text: str, label: str) -> Markup:
    """`text` as an inline SVG with its quiet zone, named `label` for those who do not see it."""
    code = segno.make(text, micro=False, error="m", boost_error=False)
    drawn = code.svg_inline(border=4, omitsize=True, svgclass="q", lineclass=None, light="#fff")
    # segno's own markup, made of numbers only
    return Markup('<span role="img" aria-label="{}">{}</span>').format(label, Markup(drawn))  # noqa: S704


def large_qr(text: str, mask: int | None = None) -> str:
    """The code of whole records as a picture (a `data:` address) with one dot a square: a tenth of what lines would weigh.

    With less to repair with than the small ones (level L), so that its squares are a seventh larger. `mask`: take that one
    of the eight and compare none, which is four times as quick, and does no harm to letters as random as signatures.
    """
    return segno.make(text, micro=False, error="l", boost_error=False, mask=mask).png_data_uri(border=4)


def wifi(name: str, password: str = "") -> str:
    """What phones read to join a Wi-Fi (the ZXing convention); an open one has no password."""
    kind = f"WPA;P:{_escaped(password)}" if password else "nopass"
    return f"WIFI:T:{kind};S:{_escaped(name)};;"


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in '\\;,:"' else char for char in text)


def dense_qr(text: str, inline: bool = False) -> str:
    """A long text as an SVG, as few modules as can be: for paper, read from near by; `inline` for a page."""
    code = segno.make(text, micro=False, error="l", boost_error=False)
    if inline:
        return Markup(code.svg_inline(border=4, omitsize=True, svgclass="q", lineclass=None, light="#fff"))  # noqa: S704
    drawn = io.BytesIO()
    code.save(drawn, kind="svg", border=4, omitsize=True, lineclass=None, light="#fff", xmldecl=False)
    return drawn.getvalue().decode()
