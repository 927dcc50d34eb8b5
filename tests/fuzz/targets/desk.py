"""What a keeper who is signed in sends: any form of the desk, whole or wrong. There is always a page, and nothing on it runs."""

from urllib.parse import urlencode

from tests.fuzz.kinds import Target
from tests.fuzz.portal_lines import Island, lines_of_forms, run_lines
from tests.fuzz.seeding import texts_in

PAGES = tuple(f"/keeper{path}" for path in (
    "", "/acts", "/agenda", "/agenda/sources", "/agenda/sources/forget?name=x", "/care", "/care/backup", "/care/code", "/clock",
    "/contact", "/founders", "/founders/keys", "/gather", "/gather/new", "/gather/forget?name=x", "/groups", "/groups/remove",
    "/handover", "/keys", "/keys/new", "/keys/invite", "/keys/paper", "/map", "/people", "/people/remove?name=lea", "/post",
    "/post/{bulletin}", "/post/{event}/cancel", "/post/{bulletin}/correct", "/post/{bulletin}/withdraw", "/posts",
    "/posts?pile=waiting", "/posts/write", "/posts/write?kind=event", "/radio", "/radio/do?do=silence", "/reports",
    "/reports/settle-all", "/safe", "/secret", "/settings", "/settings/words", "/settings/rules", "/settings/topics",
    "/settings/wifi", "/settings/radio", "/settings/texts", "/settings/rest", "/settings/loudspeaker", "/sheet",
    "/care/do/restart", "/keys/8cca2f2b956dec4b"))
SETTINGS = {
    "name": "name=Place des Fêtes", "welcome": "welcome=Bonjour", "posting": "posting=moderated", "urgent": "urgent=everybody",
    "archive": "days=30", "turnout": "turnout=1", "topics": "topic-food=1&place-food=1", "keep": "", "back": "",
    "wifi": "wifi=Archipel&country=FR&channel=11&password=", "radio": "share=2&region=EU_868",
    "texts": "texts=1&greeting=Bonjour&words=agenda = sorties", "loudspeaker": "hours=9:00, 18:30",
    "rest": "wifi_from=22:00&wifi_to=7:00&pages_from=1:00&pages_to=2:00"}


def run(octets):
    run_lines(octets, keeper=True)


def seeds():
    for line in lines_of_forms(Island(keeper=True), PAGES):
        yield line.encode()
        if " " in line:
            yield (line + "&sure=1&why=Parce que").encode()
    for name, body in SETTINGS.items():
        yield f"/keeper/settings/{name} csrf={{csrf}}&why=x&{body}".encode()
        yield f"/keeper/settings/{name} csrf={{csrf}}&sure=1&{body.replace('=', '=!')}".encode()
    for path, body in (
            ("posts/look", "choice=all&action=hide-all"), ("posts/look", "id={bulletin}&action=withdraw-ticked"),
            ("posts/undo", "id=x"), ("hide", "id={bulletin}&action=hide"), ("hide", "id=nope"),
            ("approve", "id={waiting}"), ("approve", "id={waiting}&action=refuse"), ("clock", "day=2025-12-24&time=18:00"),
            ("clock/set", "minute=1&day=2025-12-24&time=18:00"), ("clock/undo", ""), ("people", "name=Samira&new=un chat gris"),
            ("password", "old=sesame&new=quatre mots au hasard&again=quatre mots au hasard"), ("session", "label=x"),
            ("groups/new", "name=Chorale&new=quatre mots au hasard&again=quatre mots au hasard"),
            ("outline", "outline=48.87,2.36 48.86,2.37"), ("outline", "outline=x"), ("picture", "file:picture=x&top_left=48.9,2.3"),
            ("streets", "file:streets=x&radius=1000"), ("streets", "action=remove"), ("picture", "action=remove"),
            ("keys/look", "id=8cca2f2b956dec4b&since=2025-12-01"), ("keys/vouch", "key=x&name=y"), ("keys/undo", "id=x"),
            ("radio/do", "do=silence&minutes=60"), ("radio/readers", "metrics=all"), ("agenda", "file:agenda=BEGIN:VCALENDAR"),
            ("secret/look", ""), ("secret/renew", ""), ("handover/begin", ""), ("handover/step", "step=keeper&done=1"),
            ("handover/end", ""), ("founders/begin", "count=3"), ("founders/keys/show", ""), ("founders/keys/check", "word=x"),
            ("posts/write", "token={token}&kind=bulletin&text=Avis&action=publish"), ("contact", "contact=au marché"),
            ("post/{bulletin}/correct", "token={token}&kind=bulletin&text=Avis&action=publish&why=y"),
            ("post/{event}/cancel", "reason=Pluie&sure=1"), ("post/{bulletin}/withdraw", "why=z&sure=1"),
            ("reports/settle", "id={bulletin}"), ("gather/pause", "name=x"), ("gather/new", "address=https://exemple.org/")):
        yield f"/keeper/{path} csrf={{csrf}}&{body}".encode()
        yield f"/keeper/{path} csrf=wrong&{body}".encode()
    yield b"/r/{bulletin}/tell token={token}&reason=danger&why=x\n/keeper/reports\n/keeper/reports/settle csrf={csrf}&id={bulletin}"
    for text in texts_in("web/test_desk_settings.py", 3):
        yield b"/keeper/settings/rest csrf={csrf}&wifi_from=" + text[:60]
    yield f"/keeper/people csrf={{csrf}}&{urlencode({'name': '<b>', 'new': 'x'})}".encode()


TARGET = Target(run, tuple(f"web/{name}.py" for name in (
    "desk_settings", "desk_post", "desk_reports", "desk_handover", "clearing_pages", "clock_page", "keeper")), seeds, 800, (
    b"csrf={csrf}&", b"/keeper/settings/", b"/keeper/posts/", b"&sure=1", b"{bulletin}", b"{event}", b"{waiting}", b"\n"))
