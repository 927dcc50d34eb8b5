"""What nginx says itself while the portal does not answer, or to who asks too much: static pages in every language.

    CASE.METHOD.LANGUAGE.html   METHOD: `get` reloads itself where waiting helps; `post` says how to send again
                                LANGUAGE: a tag, or `all` for browsers that ask for none of ours
"""

from html import escape

from babel import Locale

from node.i18n.catalogue import TAGS, catalogue
from node.i18n.sentence import N_

RELOAD_S = {"starting": 5, "busy": 10}
TITLES = {
    "starting": N_("The island is waking up"),
    "busy": N_("Too much at once"),
    "large": N_("This is too large"),
    "unclear": N_("The island did not understand"),
}
RELOADS = N_("One moment: this page reloads by itself.")
KEPT = N_("What you typed is not lost. Wait a minute, then reload this page: your browser asks whether to send it again; "
          "say yes. It is taken once, however often you send it. Or go back: it is still in the form.")
DAMAGED = N_("If nothing changes after five minutes, tell the island's keeper: the card may be damaged.")
BUSY = N_("The island lets you wait, because much is asked of it just now.")
LARGE = N_("Go back: what you typed is still in the form. Make it shorter, or choose a smaller file: 16 MB at most for "
           "what a courier brings, 8 MB for a picture or an agenda.")
UNCLEAR = N_("Your browser asked for something in a way that the island cannot read. Go back and try again, or begin at "
             "the first page.")
SAID = {
    ("starting", "get"): (RELOADS, DAMAGED), ("starting", "post"): (KEPT, DAMAGED),
    ("busy", "get"): (BUSY, RELOADS), ("busy", "post"): (BUSY, KEPT),
    ("large", "get"): (LARGE,), ("large", "post"): (LARGE,),
    ("unclear", "get"): (UNCLEAR,), ("unclear", "post"): (UNCLEAR,),
}
FIRST_PAGE = N_("First page")
STYLE = "body{font:1.1em/1.5 sans-serif;max-width:34em;margin:2em auto;padding:0 1em}"


def pages() -> dict[str, bytes]:
    """Every page by its name."""
    made = {}
    for case, method in SAID:
        for name, tags in ((*((tag, (tag,)) for tag in TAGS), ("all", TAGS))):
            made[f"{case}.{method}.{name}.html"] = _page(case, method, tags).encode()
    return made


def _page(case: str, method: str, tags: tuple[str, ...]) -> str:
    first, *rest = tags
    after_s = RELOAD_S.get(case) if method == "get" else None
    reload = f'<meta http-equiv="refresh" content="{after_s}">' if after_s else ""
    others = "".join(f"<div {_spoken(tag)}>{_part(case, method, tag, 2)}</div>" for tag in rest)
    return (f'<!doctype html>\n<html {_spoken(first)}><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width,initial-scale=1">{reload}'
            f"<title>{_said(TITLES[case], first)}</title><style>{STYLE}</style></head>\n"
            f"<body><main>{_part(case, method, first, 1)}{others}</main></body></html>\n")


def _part(case: str, method: str, tag: str, level: int) -> str:
    paragraphs = "".join(f"<p>{_said(text, tag)}</p>\n" for text in SAID[case, method])
    return (f"<h{level}>{_said(TITLES[case], tag)}</h{level}>\n{paragraphs}"
            f'<p><a href="/?lang={tag}">{_said(FIRST_PAGE, tag)}</a></p>\n')


def _spoken(tag: str) -> str:
    return f'lang="{tag}" dir="{Locale.parse(tag).text_direction}"'


def _said(text: str, tag: str) -> str:
    return escape(catalogue(tag).gettext(text))
