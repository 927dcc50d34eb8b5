"""What a keeper who is signed in sends: any form of the desk, whole or wrong. There is always a page, and nothing on it runs."""

from tests.fuzz.kinds import Target
from tests.fuzz.portal_lines import Island, lines_of_forms, run_lines

PAGES = tuple(f"/keeper{path}" for path in (
    "", "/acts", "/agenda", "/agenda/sources", "/care", "/care/code", "/clock", "/contact", "/founders", "/gather/new",
    "/groups", "/handover", "/keys", "/keys/new", "/keys/paper", "/map", "/people", "/post/{bulletin}",
    "/post/{event}/cancel", "/post/{bulletin}/correct", "/post/{bulletin}/withdraw", "/posts", "/posts?pile=waiting",
    "/posts/write?kind=event", "/radio", "/reports", "/reports/settle-all", "/secret", "/settings", "/settings/words",
    "/settings/rules", "/settings/topics", "/settings/wifi", "/settings/radio", "/settings/texts", "/settings/rest",
    "/settings/loudspeaker", "/keys/invite", "/keys/{group}", "/keys/{key}", "/keys/invitation/{invitation}",
    "/gather"))
SETTINGS = (  # where, and what is typed
    ("name", "name=Place&language=fr&zone=Europe/Paris"), ("name", "name=&language=xx&zone=Lune"), ("welcome", "welcome=Bonjour"),
    ("welcome", "welcome=" + "x" * 600), ("posting", "posting=moderated"), ("posting", "posting=members"), ("posting", "posting=x"),
    ("urgent", "urgent=everybody"), ("urgent", "urgent=x"), ("archive", "days=30"), ("archive", "days=30&sure=1"),
    ("archive", "days=x"), ("archive", "days=9999"), ("turnout", "turnout=true"), ("turnout", "turnout=x"),
    ("topics", "topic1=1&topic2=3&topic3=x"), ("topics", ""), ("wifi", "wifi=Canal&access=open&country=FR&channel=11"),
    ("wifi", "wifi=Canal&access=closed&password=&country=FR&channel=11"), ("wifi", "access=closed&password=un chat gris"),
    ("wifi", "access=closed&password=x"), ("radio", "share=2&region=EU_868"), ("radio", "share=x"), ("keep", ""), ("back", ""),
    ("texts", "texts=true&greeting=Bonjour&text_words=agenda = sorties"), ("texts", "text_words=x"),
    ("loudspeaker", "loudspeaker=9:00, 18:30"), ("loudspeaker", "loudspeaker=3:00"),
    ("rest", "wifi_on=1&wifi_begin=22:00&wifi_end=7:00&wifi_0=1&wifi_6=1"), ("rest", "pages_on=1&pages_begin=x&pages_end=7:00"),
    ("rest", "radio_on=1&radio_begin=1:00&radio_end=1:00&radio_1=1"), ("rest", "pages_on=1&pages_begin=1:00&pages_end=5:00"))
GROUP = "/keeper/groups/new csrf={csrf}&name=Chorale&new=quatre mots au hasard&again=quatre mots au hasard"
FLOWS = (  # pages, and what is typed into their forms, one after the other
    "/keeper/posts/look csrf={csrf}&action=clear-all&why=x\n> why=y\n/keeper\n/keeper/posts/undo csrf={csrf}&id=x",
    "/keeper/posts/look csrf={csrf}&action=approve-all\n> \n/keeper/posts/do csrf={csrf}&look=old",
    "/keeper/posts/look csrf={csrf}&action=show-all&pile=hidden\n> ",
    "/keeper/hide csrf={csrf}&id={bulletin}&why=x\n/keeper/posts/look csrf={csrf}&action=show-all&pile=hidden\n> ",
    "/keeper/posts/look csrf={csrf}&action=clear-rest&id=x", "/keeper/posts/look csrf={csrf}&action=clear-none",
    "/keeper/posts/look csrf={csrf}&action=x", "/keeper/posts/look csrf={csrf}&action=clear-all&since_date=x",
    "/keeper/posts?pile=own&topic=4&words=soupe&since_date=1/12&until_date=3/12&from=2",
    "/keeper/posts/write csrf={csrf}&token={token}&kind=bulletin&text=Avis&action=publish",
    "/keeper/posts/write csrf=old&token={token}&kind=bulletin&text=Avis&action=publish",
    "/keeper/clock csrf={csrf}&start_date=2025-12-24&start_time=18:00\n>0 why=x\n/keeper/clock/undo csrf={csrf}",
    "/keeper/clock/set csrf={csrf}&minute=1008600&asked=1008540\n/keeper/clock/undo csrf={csrf}",
    "/keeper/clock/set csrf={csrf}&minute=999999999&asked=1", "/keeper/settings/loudspeaker csrf={csrf}&loudspeaker_on=1&begin=x",
    "/keeper/settings/rest csrf={csrf}&wifi_on=1&wifi_begin=x&wifi_end=", "/keeper/settings/radio csrf={csrf}&share=2\n"
    "/keeper/settings/keep csrf={csrf}", "/keeper/settings/radio csrf={csrf}&share=3\n/keeper/settings/back csrf={csrf}",
    "/keeper/settings/wifi csrf={csrf}&wifi=Canal&access=open&country=FR&channel=11\n/keeper/settings/back csrf={csrf}",
    "/keeper/hide csrf={csrf}&id={bulletin}&why=x\n/keeper/posts?pile=hidden\n>0 action=show-all\n>-1 why=y",
    "/keeper/clock csrf={csrf}&start_date=2026-12-24&start_time=18:00\n> asked=0", "/keeper/clock/undo csrf={csrf}",
    "/keeper/clock csrf={csrf}&start_date=x", "/keeper/clock/set csrf={csrf}&minute=x&asked=1", "/keeper/clock/set csrf={csrf}",
    "/keeper/clock csrf={csrf}&start_date=2025-01-02&start_time=0:00\n> why=x\n/keeper/clock",
    "/keeper/handover/begin csrf={csrf}&newcomer=Samira&leaver=lea\n/keeper/handover\n"
    "/keeper/handover/step csrf={csrf}&step=tools&action=done\n/keeper/handover/step csrf={csrf}&step=papers&action=open\n"
    "/keeper/handover/end csrf={csrf}\n> ",
    "/keeper/handover/begin csrf={csrf}&newcomer=<b>", "/keeper/handover/step csrf={csrf}&step=x",
    "/keeper/handover/end csrf={csrf}&sure=1", "/r/{bulletin}/tell token={token}&reason=danger&why=x\n/keeper/reports\n"
    "/keeper/reports/settle csrf={csrf}&id={bulletin}", "/keeper/reports/settle-all csrf={csrf}&why=x",
    "/keeper/reports/settle csrf={csrf}&id=x", "/keeper/reports?from=9", "/keeper/contact csrf={csrf}&contact=au marché",
    "/keeper/contact csrf={csrf}&contact=" + "x" * 400, "/keeper/post?address=http://archipel.lan/r/{bulletin}",
    "/keeper/post?address={waiting}", "/keeper/post?address=x", "/keeper/post", "/keeper/post/{waiting}/correct",
    "/keeper/post/{bulletin}/correct\n> text=Avis&action=publish&why=y", "/keeper/post/{event}/correct\n> action=preview",
    "/keeper/post/{bulletin}/correct token={token}&csrf=old&kind=bulletin&text=Avis&action=publish",
    "/keeper/post/nope/correct csrf={csrf}&text=x", "/keeper/post/{event}/cancel\n> reason=Pluie", "/keeper/post/nope/cancel",
    "/keeper/post/{bulletin}/withdraw\n> why=z\n/keeper/post/{bulletin}", "/keeper/post/{waiting}/withdraw\n> ",
    "/keeper/post/{bulletin}/cancel\n> ", "/keeper/hide csrf={csrf}&id={bulletin}\n/keeper/hide csrf={csrf}&id={bulletin}&action=show",
    "/keeper/hide csrf={csrf}&id=nope", "/keeper/approve csrf={csrf}&id={waiting}", "/keeper/post/{waiting}",
    "/keeper/approve csrf={csrf}&id={waiting}&action=refuse&back=reports", "/keeper/outline csrf={csrf}&outline=48.87,2.36 48.86,2.37",
    "/keeper/outline csrf={csrf}&outline=x", "/keeper/picture csrf={csrf}&action=remove", "/keeper/streets csrf={csrf}&action=remove",
    "/keeper/picture csrf={csrf}&file:picture=x&top_left=48.9,2.3&bottom_right=48.8,2.4", "/keeper/picture csrf={csrf}",
    "/keeper/streets csrf={csrf}&file:streets=<svg>&radius=1000", "/keeper/streets csrf={csrf}", "/keeper/hide csrf=old&id=x",
    "/keeper/streets csrf={csrf}&file:streets=\x0a\x0dOSMHeader&around=x&radius=x",
    "/keeper/keys/new\n> ", "/keeper/keys/invite csrf={csrf}\n> ", "/keeper/keys\n> ", "/keeper/secret\n> hours=48\n> ",
    *(f"/keeper/{line}" for line in (
        "people csrf={csrf}&name=&new=x&again=x", "people csrf={csrf}&name=lea&new=x&again=x", "people csrf={csrf}&name=Bo&new=x&again=y",
        "people csrf={csrf}&name=Bo&new=un chat gris du canal&again=un chat gris du canal\n/keeper/people/remove?name=Bo\n> why=x", "people/remove?name=x", "people/remove csrf={csrf}&name=x",
        "password csrf={csrf}&present=sesame&new=un chat gris du canal&again=un chat gris du canal", "password csrf={csrf}&new=x&again=x",
        "password csrf={csrf}&present=x&new=un chat gris du canal&again=un chat gris du canal", "session csrf={csrf}&label={ana}",
        "session csrf={csrf}&label=x", "groups?name=x", "groups/remove?name=x", "groups/new csrf={csrf}&name=", "groups csrf={csrf}&name=x",
        "groups/new csrf={csrf}&name=Chorale&new=x&again=y")),
    "\n".join(6 * ["/keeper/password csrf={csrf}&present=x&new=un chat gris du canal&again=un chat gris du canal"] + [
        "/keeper/people csrf={csrf}&name=Bo&new=un chat gris du canal&again=un chat gris du canal",
        "/keeper/groups/new csrf={csrf}&name=Chorale&new=quatre mots au hasard&again=quatre mots au hasard"]),
    GROUP + "\n" + GROUP + "\n/keeper/groups?name=Chorale\n> present=quatre mots au hasard&new=un chat gris du canal&again=un chat gris du canal\n"
    "/keeper/groups/remove?name=Chorale\n> why=x", GROUP + "\n/keeper/groups csrf={csrf}&name=Chorale&new=x&again=y\n" + "\n".join(
        6 * ["/keeper/groups csrf={csrf}&name=Chorale&present=x&new=un chat gris du canal&again=un chat gris du canal"]),
    *(f"/keeper/keys/{line}" for line in (
        "nope", "invitation/nope/file", "invitation/nope/code.svg", "invitation/{invitation}/file", "invitation/{invitation}/code.svg",
        "invite csrf={csrf}&key={founder}&days=20&keeper=1\n> ", "invite csrf={csrf}&key={founder}&days=x&group=1\n/keeper/keys?from=1",
        "invite csrf={csrf}&file:key_file=archipel key 1&passphrase=x", "new?who={group}&name=AMAP&group=1\n> key={founder}\n/keeper/keys",
        "vouch csrf={csrf}&who={group}&known={group}&key={founder}&days=90&vouch=1\n/keeper/keys/{group}",
        "vouch csrf={csrf}&who={group}&known={group}", "vouch csrf={csrf}&who=" + "ab" * 32 + "&name=&key={founder}\n/keeper/keys",
        "look csrf={csrf}&who={group}&key={founder}\n> at_once=1&why=x\n/keeper/keys/{group}\n/keeper/keys",
        "look csrf={csrf}&who={group}&key={founder}&start_date=2025-12-01&start_time=8:00\n> \n/keeper/keys\n>0 \n/keeper/keys",
        "look csrf={csrf}&who={group}&start_date=x", "look csrf={csrf}&who={group}", "look csrf={csrf}&who=x&start_time=8:00",
        "revoke csrf={csrf}&label=x", "undo csrf={csrf}&id=x", "paper csrf={csrf}\n> ", "?from=x", "?from=-9")),
    *(f"/keeper/secret{line}" for line in (
        "/look csrf={csrf}&hours=0&key={founder}&why=x\n> \n/keeper/secret", "/look csrf={csrf}&hours=168&key={founder}\n> \n/keeper/secret\n"
        "/keeper/keys/invite", "/look csrf={csrf}&hours=x", "/look csrf={csrf}&hours=-9&key={founder}", "/renew csrf={csrf}&label=x",
        "/catch-up csrf={csrf}&letters={letters}", "/catch-up csrf={csrf}&letters=x")),
    *(f"/keeper/gather/{line}" for line in (
        "look csrf={csrf}&kind=address&address={site}&words=bal, -foot&km=30&days=&topics=8\n>0 \n/keeper/gather\n>0 paused=1\n"
        "/keeper/gather/now csrf={csrf}\n/keeper/gather/new?source={source}\n/keeper/gather/forget?source={source}\n> why=x",
        "look csrf={csrf}&kind=address&address={site}&records=1\n>1 \n> ", "look csrf={csrf}&kind=radar&address=x", "look csrf={csrf}&kind=x&address=x",
        "look csrf={csrf}&kind=mobilizon-group&address=x", "approve csrf={csrf}&id=x", "pause csrf={csrf}&id=x", "new?source=x", "forget?source=x",
        "new csrf={csrf}&kind=x&km=9999999&topics=x&words=" + "a," * 40)),
    "/keeper/founders\n> keys=3\n> \n> ", "/keeper/agenda csrf={csrf}&file:file=BEGIN:VCALENDAR\n> ",
    "/keeper/radio/do?do=silence\n> minutes=60&why=x", "/keeper/radio/readers csrf={csrf}&metrics=all",
    "/keeper/care/do/restart\n> ", "/keeper/care/do/wipe\n> ", "/keeper/care/code\n> ")


def run(octets):
    run_lines(octets, keeper=True)


def seeds():
    yield from (line.encode() for line in lines_of_forms(Island(keeper=True), PAGES))
    for name, body in SETTINGS:
        yield f"/keeper/settings/{name} csrf={{csrf}}&why=x&{body}".encode()
    yield from (flow.encode() for flow in FLOWS)


TARGET = Target(run, tuple(f"web/{name}.py" for name in (
    "desk_settings", "desk_post", "desk_reports", "desk_handover", "clearing_pages", "clock_page", "keeper", "account_pages", "desk_keys",
    "desk_secret", "desk_gather")), seeds, 800, share=6, aside={
    "the clock of this island is told by nobody: tests/web/test_clock_page.py": ("if source ==", "if not board().set_clock"),
    "dozens of pages: tests/web/test_clearing_pages.py": ("while len(self._kept)",),
    "maps are drawn by a process of its own: tests/streets": ("if not brought", "if place is None"),
    "whoever is signed in stays so": ('if not session.get("name")',)}, words=(
    b"csrf={csrf}&", b"/keeper/settings/", b"/keeper/posts/", b"&sure=1", b"{bulletin}", b"{event}", b"{waiting}", b"\n> "))
