"""What visitors send: any form of the board, whole or wrong. There is always a page, and nothing on it runs."""

from urllib.parse import urlencode

from tests.fuzz.kinds import Target
from tests.fuzz.portal_lines import Island, lines_of_forms, run_lines

EVENT = {"token": "{token}", "kind": "event", "title": "Bal", "text": "Venez", "start_date": "2025-12-20",
         "start_time": "18:00", "action": "preview"}
MORE = (
    {"end_time": "20:00"}, {"end_date": "21/12/2025", "end_time": "2h"}, {"whole_day": "1"}, {"position": "48.87, 2.36"},
    {"repeat": "1.1", "repeat_times": "4"}, {"repeat": "3.1", "repeat_times": "3"}, {"repeat": "4.1", "repeat_times": "3"},
    {"repeat": "0.3", "repeat_times": "5"}, {"repeat": "9.1", "repeat_times": "5"}, {"repeat": "1.1", "repeat_times": "x"},
    {"repeat": "1.1", "repeat_until": "x"}, {"repeat": "1.1", "repeat_times": "3", "on1": "1"}, {"on1": "1", "repeat": "2.1"},
    {"repeat": "1.1", "repeat_times": "4", "off": "28/12"}, {"repeat": "1.1", "repeat_times": "4", "moved": "27/12 -> 28/12 19h"},
    {"repeat": "1.1", "repeat_times": "4", "moved": "27/12 -> x"}, {"repeat": "1.1", "repeat_times": "4", "moved": "x -> 27/12"},
    {"repeat": "1.1", "repeat_times": "4", "whole_day": "1", "moved": "27/12 -> 28/12"}, {"repeat": "1.1"}, {"repeat": "1.1", "repeat_until": "2026-02-01"}, {"topic": "food"},
    {"repeat": "1.1", "repeat_times": "4", "off": "27/12", "moved": "3/1 19h"}, {"repeat": "2.1", "repeat_times": "3"},
    {"repeat": "5.2.3", "repeat_times": "9", "on1": "1"}, {"start_date": "samedi", "start_time": ""}, {"free": "1"},
    {"start_date": "samedi 18h", "start_time": ""}, {"start_time": "minuit"}, {"start_date": "ce soir", "start_time": ""},
    {"start_date": "5 décembre", "start_time": "6:30 pm"}, {"start_date": "الجمعة", "start_time": "١٨:٠٠"},
    {"start_date": "20/12", "start_time": "18h-20h"}, {"start_date": "toute la journée", "start_time": ""}, {"span": "900"},
    {"at.x": "40", "at.y": "50", "drawn": "48.87,2.36,900"}, {"link": "https://exemple.org/"}, {"link": "javascript:1"},
    {"publish_date": "2025-12-10", "publish_time": "8:00"}, {"action": "publish"}, {"action": "edit"}, {"urgent": "1"},
    {"text": "<script>alert(1)</script>\u202e"}, {"language": "ar"}, {"life_days": "99"}, {"group": "AMAP du canal"},
    {"own_code": "chat gris du canal"}, {"own_code": "1"}, {"start_date": "31/02/2026"}, {"start_date": ""}, {"start_time": "25h"},
    {"start_date": "2024-01-01"}, {"since_date": "1/1", "until_date": "3/1"}, {"step-free": "1", "for-children": "1"})
PAGES = ("/post", "/post?kind=event", "/post?kind=reply&target={bulletin}", "/r/{bulletin}", "/r/{bulletin}/edit",
         "/r/{event}/edit", "/r/{bulletin}/withdraw", "/r/{event}/withdraw", "/r/{waiting}/edit", "/r/{bulletin}/tell",
         "/r/{event}", "/r/{event}/coming", "/courier", "/hello", "/search", "/agenda", "/bulletins", "/map", "/take",
         "/post?kind=event&again={event}", "/r/{waiting}/withdraw")


def run(octets):
    run_lines(octets, keeper=False)


def seeds():
    yield from (line.encode() for line in lines_of_forms(Island(keeper=False), PAGES))
    for more in MORE:
        yield f"/post {urlencode(EVENT | more, safe='{}')}".encode()
        yield f"/r/{{event}}/edit {urlencode(EVENT | more | {'word': '{word}', 'action': 'publish'}, safe='{}')}".encode()
    bulletin = {"token": "{token}", "kind": "bulletin", "text": "Soupe", "action": "publish", "word": "{word}"}
    for more in ({}, {"mark": "offer"}, {"mark": "need"}, {"mark": "x"}, {"kind": "reply", "target": "{bulletin}"}, {"text": ""}):
        yield f"/post {urlencode(bulletin | more, safe='{}')}".encode()
        yield f"/r/{{bulletin}}/edit {urlencode(bulletin | more, safe='{}')}".encode()
    for action in ("withdraw", "cancel", "settled", ""):
        yield f"/r/{{bulletin}}/withdraw token={{token}}&word={{word}}&action={action}&reason=Pluie".encode()
        yield f"/r/{{event}}/withdraw token={{token}}&word=faux&action={action}".encode()
    yield b"/post token={token}&kind=bulletin&text=Soupe&action=publish\n/post token=old&kind=bulletin&text=Soupe&action=publish"
    for flow in ("/post\n> text=Soupe\n> action=publish\n> action=publish", "/post?kind=event\n> title=Bal&start_date=20/12&start_time=18h"
                 "\n> action=map\n> at.x=4&at.y=9", "/r/{event}/edit\n> title=Fest\n> word={word}&action=publish", "/nope",
                 "/post?kind=reply&target={bulletin}\n> text=Oui\n> action=publish", "/post?kind=reply&target=x", "/r/nope/edit",
                 "/post\n> text=Soupe&own_code=1&action=publish", "/r/{bulletin}/withdraw token={token}&action=x",
                 "/r/{event}/withdraw token={token}&action=cancel&word={word}", "/r/{waiting}/edit\n> word=x&action=publish"):
        yield flow.encode()


TARGET = Target(run, (
    "web/posting.py: write send correct withdraw answer_to attempt _action _settling _cost _urgent_offer",), seeds, 1_500, share=3, aside={
    "no network of the box's own here: tests/web/test_safe_address.py": ("if in_the_clear()", "if elsewhere :=")}, words=(
    b"action=publish", b"&start_date=", b"&repeat=1.1", b"&whole_day=1", b"samedi", b"/r/{bulletin}/edit ", b"word={word}",
    b"token={token}", b"&moved=", b"&off=", b"&position=", b"\n"))
