"""What browsers, readers of feeds and screens ask for: any page, with any query and headers. There is always an answer, whole."""

from tests.fuzz.kinds import Target
from tests.fuzz.portal_lines import run_lines

PATHS = (
    "/", "/agenda", "/agenda?day={}", "/agenda?week={}", "/agenda?month={}", "/agenda?topic={}&mark={}", "/agenda?from={}", "/agenda?mark={}", "/agenda?topic={}&to={}",
    "/bulletins?after={}", "/bulletins?topic={}", "/bulletins?mark={}", "/search?q={}", "/search?q=soupe&after={}", "/past?after={}", "/urgent", "/map?at={}", "/map?span={}",
    "/map.svg?span={}", "/subscribe?place={}", "/subscribe?topic={}&mark={}&by={}", "/by/{}?from={}", "/at?place={}", "/at?place=Parc&from={}", "/r/{}/share", "/wall?page={}",
    "/wall.png?w={}", "/wall.png?h=300&minutes={}", "/digest?size={}", "/digest?parts={}", "/digest.txt?parts={}", "/paper?as={}", "/poster?topic={}", "/leaflet?place={}",
    "/copy?by={}", "/weekly?plain", "/r/{}", "/r/{}.ics", "/r/{}.txt", "/r/{}.cap.xml", "/r/{}/letters", "/r/{}/print", "/r/{}/tell?mine={}", "/feed.atom?topic={}", "/feed.json?after={}",
    "/agenda.ics?place={}", "/agenda.ics?by={}&mark={}", "/agenda.txt?from={}", "/bulletins.txt?from={}", "/alerts.cap.xml?from={}", "/agenda.as.json?after={}", "/topics/{}",
    "/post?again={}&kind=event", "/post?kind={}", "/r/{event}/coming?word={}", "/r/{bulletin}/withdraw?settled&word={}", "/{}", "/metrics", "/learn/{}", "/bundle?x={}", "/?lang={}",
    "/agenda?lang=ar&group={}", "/take?x={}", "/published?top={}", "/r/{bulletin}?from={}", "/r/{bulletin}?to={}")
VALUES = ("", "x", "0", "7", "-1", "99999999999999999999", "1" * 5_000, "2025-12-05", "2025-W49", "2025-12", "9999-12-31", "0000-00", "2025-W99", "food", "offer",
          "step-free", "fr", "ar", "Parc", "%00", "%ff", "%F0%9F%8D%B2", "\u0663", "{bulletin}", "{event}", "{waiting}", "a" * 300, "..%2f..", "1e9", "1000", "A6", "poster",
          "strips", "48.87,2.36", "<b>", "%0d%0a", "None", "[::1]", "3" * 40, "\u00b2", "\udc80")
HEADERS = ("Accept-Language: ar,fr;q=0.5", "Accept-Language: ;;q=x,,*", "Accept-Language: " + "a-" * 900, "If-None-Match: *", 'If-None-Match: W/"x", "', "If-Modified-Since: x",
           "Range: bytes=0-5", "Range: bytes=9-2,x", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-For: fe80::1%eth0, x", "X-Forwarded-For: ::ffff:192.0.2.7",
           "X-Forwarded-Proto: https", "X-Arrival: wifi", "X-Arrival: cable", "Accept: text/calendar", "User-Agent: \u00e9", "Accept-Encoding: gzip;q=x", "Authorization: Basic x",
           "Authorization: Digest a=b", "Referer: http://[", "Purpose: prefetch", "Forwarded: for=x", "Access-Control-Request-Method: X", "Date: x")


def run(octets):
    run_lines(octets, keeper=False)


def seeds():
    for number, path in enumerate(PATHS):
        for place in range(len(VALUES)):
            if (place + number) % 7 == 0 or ((place + number) % 3 == 0 and path.startswith(("/agenda?", "/wall.png"))):
                yield path.replace("{}", VALUES[place]).encode("utf-8", "replace")
    for header in HEADERS:
        yield "\n".join((f"<{header}", "/", "/agenda.ics", "/wall.png?w=300&h=200", "/keeper", "/post", "/post token={token}&kind=bulletin&text=Soupe&action=publish",
                         "/map.svg")).encode()
    for path in ("/agenda?topic=food", "/agenda?mark=offer", "/agenda?topic=x", "/agenda?month=2025-12", "/agenda?week=2025-12-01", "/agenda?day=2025-12-01", "/topics/food",
                 "/topics/x", "/by/{key}", "/by/{key}?from=1", "/by/x", "/r/{bulletin}?to=2", "/r/{bulletin}?from=9", "/at?place=Parc", "/at?place=x", "/r/{event}", "/r/{waiting}", "/r/x", "/subscribe?topic=food&mark=need&place=Parc&by=0123456789abcdef",
                 "/subscribe", "/post x=y", "/agenda x=y", "/search?q=bal", "/search?q=-", "/past", "/keeper/post/x csrf=y"):
        yield path.encode()
    yield b"<X-Arrival: wifi\n/keeper csrf=x\n/keeper/people?x=y\n/post?kind=event"
    yield b"/agenda\n> lang=fr\n/search\n> q=bal\n>0 q=soupe\n/take\n> letters=ARCHIPEL AAAA"


TARGET = Target(run, tuple(f"web/{name}.py" for name in ("agenda", "public", "turning", "languages", "together", "subscribing", "digest_page")), seeds,
                900, share=8, words=(b"\n<Accept-Language: ", b"?after=", b"?from=", b"&topic=", b"?day=2025-12-05", b"{bulletin}", b"{event}", b"\n/agenda", b"%00", b"&lang="), aside={
                    "posts here are short": ("if len(page.encode()) <= MAX_BODY_BYTES",),
                    "only who is signed in comes there: the target `desk`": ('if request.method in ("GET", "HEAD") and request.path',)})
