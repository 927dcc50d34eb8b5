"""A form as people fill it in, without the portal around it: a draft, or problems that have their sentences; and what was meant
can be typed again."""

from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from node.board.drafts import problems_of
from node.model.record import Kind
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import texts_in
from tests.sim.portals import portal_settings
from web.dates import minute
from web.forms import FIELDS, clock_of, draft_of, moment_of, place_of, typed

SETTINGS = portal_settings()
NOW = minute(datetime(2026, 3, 15, 12), SETTINGS.zone)
EVENT = {"kind": "event", "title": "Bal", "start_date": "2026-03-21", "start_time": "18:30"}
MOMENTS = {"start_date", "start_time", "end_date", "end_time", "repeat_until", "off", "moved", "publish_date"}


def run(octets):
    text = octets.decode("utf-8", "replace")
    clock, place = clock_of(text), place_of(text)
    assert clock is None or 0 <= clock < 1_440
    assert place is None or (abs(place[0]) <= 90 and abs(place[1]) <= 180)
    for form in (dict(parse_qsl(text, keep_blank_values=True)), EVENT | dict(parse_qsl(text, keep_blank_values=True))):
        what = typed(form)
        draft = draft_of(what, SETTINGS, NOW)
        assert all(problem.code and (not problem.field or problem.field.isascii()) for problem in what.problems)
        moment_of(what, "since", SETTINGS)
        moment_of(what, "until", SETTINGS, what.since_date)
        problems_of(draft, NOW)
        assert draft_of(typed(form), SETTINGS, NOW) == draft
        if draft.kind is Kind.EVENT and draft.start is not None:
            assert draft.end is None or draft.end >= draft.start or problems_of(draft, NOW)


def seeds():
    from tests.fuzz.targets.posting import EVENT as posted
    from tests.fuzz.targets.posting import MORE

    for more in MORE:
        yield urlencode({name: value for name, value in (posted | more).items() if name in FIELDS}).encode()
    for more in ("since_date=2/3/2026&since_time=8:00&until_date=3/3/2026&until_time=9h", "life_days=x", "life_days=9", "since_time=8:00", "since_date=1/1/2024&since_time=0:00", "until_date=x", "free=1&mark=offer",
                 "publish_date=1/1/2000&publish_time=8h", "since_date=2/3&until_time=9h", "start_time=13 pm", "start_date=29/3/2026&repeat=3.1",
                 "start_date=31/3/2026&repeat=3.1&repeat_times=3", "since_date=1/1/2087&since_time=8h", "off=x", "position=x", "kind=reply"):
        yield more.encode()
    for text in ("22:00", "22h", "48.87, 2.36", "91, 0", "ce soir"):
        yield text.encode()
    texts = [*texts_in("tests/board/test_typed_moments.py", 2), *texts_in("tests/web/test_forms.py", 2), *texts_in("tests/web/test_dates.py", 2)]
    for text in texts:
        yield text
        for field in ("start_date", "start_time"):
            yield f"{field}=".encode() + text
    for text in texts_in("tests/web/test_forms.py", 1):
        for field in sorted(MOMENTS):
            yield f"repeat=1.1&repeat_times=4&{field}=".encode() + text


TARGET = Target(run, ("web/forms.py", "web/typed_events.py", "node/board/typed_moments.py"), seeds, 400, (
    b"&start_date=", b"&start_time=", b"&end_time=", b"&repeat=1.1", b"&repeat_times=4", b"&off=", b"&moved=", b"samedi",
    b"&on1=", b"&whole_day=1", b"minuit"), beside={
        "what stands on the board, filled into a form again: the targets `posting` and `desk`": ("typed_of", "typed_again", "as_typed", "_rule_as_typed", "_midnight")})
