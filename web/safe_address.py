"""Where secrets are typed: never on plain pages over the box's own networks, where whoever is near can read them.

The front says of each request by which of them it came (`X-Arrival`, image-build/overlay/usr/share/archipel/nginx.conf).
Nobody else can make a request pass for another: who says so of their own gets the page below instead of a form. Without the
SD image nobody says it, and pages are plain. Why it is so: docs/decisions/plain-http.md.
"""

import re
from urllib.parse import urlencode

from flask import Flask, g, render_template, request, session, url_for

from web.pages import settings
from web.signin import page_of_desk, sessions

ARRIVAL = "HTTP_X_ARRIVAL"
WIFI, CABLE = "wifi", "cable"  # the box's own; behind that cable, which is for visitors, there may be an access point
PORT = re.compile(r":\d*$")
FIRST_START = "/start"  # before there is a sheet
PRIVATE = ("/keeper", FIRST_START)  # with all below: where keepers' secrets are typed
Answer = tuple[str, int, dict[str, str]]


def add_safe_address(app: Flask, base: str = "base.html") -> None:
    """Show, before anything is typed, where to type it instead; on a page made from the template `base`."""
    app.jinja_env.globals.update(in_the_clear=in_the_clear, safe_urls=safe_urls)

    @app.before_request
    def not_in_the_clear() -> Answer | None:
        within = next((top for top in PRIVATE if request.path == top or request.path.startswith(f"{top}/")), "")
        if not within or not in_the_clear():
            return None
        sessions().end(session.get("label", ""))  # its cookie could be read as well
        sought = page_of_desk(request.full_path.rstrip("?")) if request.method == "GET" else ""
        return safe_page(f"{within}?{urlencode(g.carried)}".rstrip("?"), base, sought)


def in_the_clear() -> bool:
    """Whether what this page asks for would cross a network of the box's own readable by others.

    Without a certificate a cable is the only way left, so it is taken for one.
    """
    arrival = request.environ.get(ARRIVAL)
    return not request.is_secure and (arrival == WIFI or (arrival == CABLE and settings().safe() is not None))


def safe_urls(path: str) -> list[str]:
    """This path over https: by name, then for who has no names; none without a certificate.

    Elsewhere no name of ours leads here (it may be anybody's network): there it is the address that was asked.
    """
    safe = settings().safe()
    if safe is None:
        return []
    names = safe.names[:2] if request.environ.get(ARRIVAL) in (WIFI, CABLE) else [PORT.sub("", request.host)]
    return [f"https://{name}{path}" for name in names]


def safe_page(path: str, base: str = "base.html", sought: str = "") -> Answer:
    """Why the page is not shown, where it is, and what the browser will say there.

    `path` is short, to be typed; `sought` is the page itself, to be pressed.
    """
    sent, safe = request.method not in ("GET", "HEAD"), settings().safe()
    page = render_template("in_the_clear.html", base=base, urls=safe_urls(path), pressed=safe_urls(sought or path),
                           sent=sent, beginning=safe.beginning if safe else "", first=path.startswith(FIRST_START),
                           wifi=request.environ.get(ARRIVAL) == WIFI)
    return page, 403 if sent else 200, {"Cache-Control": "no-store"}


def safe_form(**path: str) -> Answer:
    """The same in the place of the form of this request, which asks for a group's passphrase."""
    return safe_page(url_for(str(request.endpoint), **{**(request.view_args or {}), **path}))
