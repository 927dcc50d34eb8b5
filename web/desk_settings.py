"""The settings on the keepers' desk: a short index, and a page for each group of them.

What the card's file sets is shown with its line instead of a field. Settings of Wi-Fi and radio are on trial until a keeper
keeps them, which the index asks for.
"""

import re

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from node.board.api import TOPICS, DraftRefused
from node.board.island_settings import (
    ANNOUNCE,
    CHANNEL,
    CONFIRMATIONS,
    COUNTRY,
    GREETING,
    GROUPS,
    KEEP_DAYS,
    LANGUAGE,
    LOUDSPEAKER,
    MAX_PAYLOAD,
    NAME,
    ON_TRIAL,
    POSTING,
    REGION,
    SHARE,
    STARTING_ANEW,
    TEXT_WORDS,
    TEXTS,
    TURNOUT,
    URGENT,
    WIFI_NAME,
    WIFI_PASSWORD,
    ZONE,
    SettingsGroup,
    SettingsRefused,
)
from node.board.moderation import MAX_WELCOME
from node.board.night_rest import MINUTES_OF_DAY, Rest, RestPart
from node.i18n.sentence import N_
from web.dates import EPOCH
from web.forms import clock_of
from web.languages import current, said
from web.languages import gettext as _
from web.pages import board, settings
from web.sentences import RULES, URGENT_RULES, problem
from web.signin import for_keepers, never_kept

Page = str | tuple[str, int] | Response
ON_TRIAL_NOW = {SettingsGroup.WIFI: N_("New settings of the Wi-Fi are on trial."),
                SettingsGroup.RADIO: N_("New settings of the radio are on trial.")}
PAGES = {"words": "keeper/settings_words.html", "rules": "keeper/settings_rules.html",
         "topics": "keeper/settings_topics.html", "wifi": "keeper/settings_wifi.html",
         "radio": "keeper/settings_radio.html", "texts": "keeper/settings_texts.html", "rest": "keeper/settings_rest.html",
         "loudspeaker": "keeper/settings_loudspeaker.html"}
NIGHT = (22 * 60, 7 * 60)  # what the form offers who has planned no rest yet
LAST_PLACE = 99
desk_settings = Blueprint("desk_settings", __name__, url_prefix="/keeper/settings")
desk_settings.after_request(never_kept)


@desk_settings.context_processor
def asked() -> dict:
    """What these templates ask."""
    return {"view": board().settings.view(), "keys": KEYS, "typed": request.form, "stricter": board().stricter_for_now(),
            "settings_address": f"{settings().base_url.rstrip('/')}/keeper/settings"}


KEYS = {"name": NAME, "language": LANGUAGE, "zone": ZONE, "days": KEEP_DAYS, "posting": POSTING, "wifi": WIFI_NAME,
        "password": WIFI_PASSWORD, "country": COUNTRY, "channel": CHANNEL, "share": SHARE, "region": REGION,
        "max_payload": MAX_PAYLOAD, "texts": TEXTS, "greeting": GREETING, "text_words": TEXT_WORDS, "announce": ANNOUNCE,
        "urgent": URGENT, "loudspeaker": LOUDSPEAKER, "turnout": TURNOUT,
        "confirmations": CONFIRMATIONS}
FIELDS = {key: field for field, key in KEYS.items()}


@desk_settings.get("")
@for_keepers
def index() -> str:
    """What is on trial, and where each setting is."""
    return _index()


def _index(notice: str = "") -> str:
    offered = board().topics()
    return render_template("keeper/settings.html", notice=notice, rules=RULES, on_trial=ON_TRIAL_NOW,
                           welcome=board().welcome(), offered=len(offered), of_all=len(TOPICS), rests=board().rests())


@desk_settings.get("/<any(words, rules, topics, wifi, radio, texts, rest, loudspeaker):group>")
@for_keepers
def show(group: str) -> str:
    """One group."""
    return _show(group)


def _show(group: str, notice: str = "") -> str:
    fillings = {"topics": _topics, "rest": _rests, "loudspeaker": _voice, "radio": _regions, "rules": _rules}
    filling: dict = fillings.get(group, dict)()
    return render_template(PAGES[group], notice=notice, rules=RULES, welcome=board().welcome(),
                           most_welcome=MAX_WELCOME, **filling)


def _changed(page: str, group: SettingsGroup, wanted: dict[str, str]) -> Page:
    """Set them, and what the keeper reads then."""
    try:
        done = board().settings.change(group, wanted, session["name"], request.form.get("why", ""))
    except SettingsRefused as refused:
        return _show(page, said(refused.sentence)), 422
    if done and (group in ON_TRIAL or group in STARTING_ANEW):
        return render_template("keeper/settings_begun.html", group=group, anew=group in STARTING_ANEW,
                               tried=group in ON_TRIAL)
    return redirect(url_for("desk_settings.show", group=page, done=1), 303)


def _typed(group: SettingsGroup) -> dict[str, str]:
    return {key: request.form[FIELDS[key]] for key in GROUPS[group] if FIELDS[key] in request.form}


@desk_settings.post("/name")
@for_keepers
def name() -> Page:
    """Another name of the island."""
    return _changed("words", SettingsGroup.NAME, _typed(SettingsGroup.NAME))


@desk_settings.post("/welcome")
@for_keepers
def welcome() -> Page:
    """Other words at the head of the first page."""
    try:
        board().set_welcome(request.form.get("welcome", "").replace("\r\n", "\n"), session["name"],
                            request.form.get("why", ""))
    except DraftRefused as refused:
        return _show("words", " ".join(map(problem, refused.problems))), 422
    return redirect(url_for("desk_settings.show", group="words", done=1), 303)


@desk_settings.post("/posting")
@for_keepers
def posting() -> Page:
    """Who may post."""
    rule = request.form.get("posting", "")
    try:
        board().set_posting(rule, session["name"], request.form.get("why", ""))
    except DraftRefused:
        notice = _("Choose one of those that are offered: what the card sets can only be made stricter here.")
        return _show("rules", notice), 422
    return redirect(url_for("desk_settings.show", group="rules", done=1), 303)


def _rules() -> dict:
    return {"may_choose": board().posting_rules(), "urgent_rules": URGENT_RULES}


@desk_settings.post("/urgent")
@for_keepers
def urgent() -> Page:
    """Who may mark a post of the island's own as urgent, where the island has that right."""
    return _changed("rules", SettingsGroup.URGENT, _typed(SettingsGroup.URGENT))


@desk_settings.post("/confirmations")
@for_keepers
def confirmations() -> Page:
    """How many other islands must confirm what is urgent."""
    return _changed("rules", SettingsGroup.CONFIRMATIONS, _typed(SettingsGroup.CONFIRMATIONS))


@desk_settings.post("/archive")
@for_keepers
def archive() -> Page:
    """How long what has ended is kept. Fewer days cannot be undone: that is read first (`sure=1`)."""
    present, typed = board().settings.view().settings[KEEP_DAYS], request.form.get("days", "")
    try:
        days = int(board().settings.meant(KEEP_DAYS, typed))
    except SettingsRefused as refused:
        return _show("rules", said(refused.sentence)), 422
    if days < int(present.value) and not present.line and not request.form.get("sure"):
        return render_template("keeper/settings_fewer.html", days=days, since=board().now() - days * MINUTES_OF_DAY)
    return _changed("rules", SettingsGroup.ARCHIVE, {KEEP_DAYS: typed})


@desk_settings.post("/turnout")
@for_keepers
def turnout() -> Page:
    """Whether people may say that they will be at an event."""
    return _changed("rules", SettingsGroup.TURNOUT, _typed(SettingsGroup.TURNOUT))


@desk_settings.post("/topics")
@for_keepers
def topics() -> Page:
    """Which topics are offered: those with a place, in the order of their places."""
    places = {number: request.form.get(f"topic{number}", "").strip() for number in TOPICS}
    wrong = [place for place in places.values() if place and not re.fullmatch(r"[0-9]{1,2}", place)]
    if wrong:
        return _show("topics", _("Write numbers from 1 to %(most)s, or nothing.") % {"most": LAST_PLACE}), 422
    offered = sorted((number for number, place in places.items() if place and int(place)),
                     key=lambda number: int(places[number]))
    board().set_topics(offered, session["name"], request.form.get("why", ""))
    return redirect(url_for("desk_settings.show", group="topics", done=1), 303)


def _topics() -> dict:
    offered = board().topics()
    places = {number: str(place) for place, number in enumerate(offered, 1)} | dict.fromkeys(TOPICS.keys() - offered, "")
    return {"rows": [(number, request.form.get(f"topic{number}", place)) for number, place in places.items()]}


@desk_settings.post("/wifi")
@for_keepers
def wifi() -> Page:
    """Name, password, country and channel of the Wi-Fi. An empty password leaves the one that there is."""
    wanted, password = _typed(SettingsGroup.WIFI), request.form.get("password", "")
    access = request.form.get("access", "")
    wanted.pop(WIFI_PASSWORD, None)
    if access == "open":
        wanted[WIFI_PASSWORD] = ""
    elif password:
        wanted[WIFI_PASSWORD] = password
    elif access == "closed" and not board().settings.view().settings[WIFI_PASSWORD].value:
        return _show("wifi", _("Give the password that the Wi-Fi is to ask for: 8 to 63 letters, digits and signs.")), 422
    return _changed("wifi", SettingsGroup.WIFI, wanted)


@desk_settings.post("/radio")
@for_keepers
def radio() -> Page:
    """What the radio may send."""
    return _changed("radio", SettingsGroup.RADIO, _typed(SettingsGroup.RADIO))


@desk_settings.post("/texts")
@for_keepers
def texts() -> Page:
    """Whether hand-held radios are answered, and in which words."""
    return _changed("texts", SettingsGroup.TEXTS, _typed(SettingsGroup.TEXTS))


def _regions() -> dict:
    return {"regions": board().settings.view().regions}


@desk_settings.post("/keep")
@for_keepers
def keep() -> Page:
    """What is on trial stays."""
    if not board().settings.keep(session["name"]):
        return _index(_("Nothing was kept: either it has only just begun, or the earlier settings are back.")), 422
    return redirect(url_for("desk_settings.index", done=1), 303)


@desk_settings.post("/back")
@for_keepers
def take_back() -> Page:
    """What was before the trial comes back at once."""
    trial = board().settings.view().trial
    if trial is None or not board().settings.take_back(session["name"]):
        return _index(_("The earlier settings are back already.")), 422
    if trial.group in STARTING_ANEW:
        return render_template("keeper/settings_begun.html", group=trial.group, anew=True, tried=False)
    return redirect(url_for("desk_settings.index", done=1), 303)


@desk_settings.post("/loudspeaker")
@for_keepers
def loudspeaker() -> Page:
    """At which hours the agenda is read aloud in the room."""
    return _changed("loudspeaker", SettingsGroup.LOUDSPEAKER, _typed(SettingsGroup.LOUDSPEAKER))


def _voice() -> dict:
    speech = settings().speech
    return {"voice": speech is not None and speech.able, "loud": speech is not None and speech.loud}


# night rest


@desk_settings.post("/rest")
@for_keepers
def rest() -> Page:
    """When the Wi-Fi, the pages and the radio rest."""
    plan, view = {}, board().settings.view()
    for part in RestPart:
        if not request.form.get(f"{part}_on"):
            continue
        wish = _wished(part)
        if wish is None:
            return _show("rest", _("Give each rest a beginning, another end (as 22:00 and 07:00) and a day at least.")), 422
        if part is RestPart.WIFI and not (view.wifi_here and view.cable):
            return _show("rest", _("The Wi-Fi cannot rest here.")), 422
        plan[part] = wish
    board().set_rests(plan, session["name"], request.form.get("why", ""))
    return redirect(url_for("desk_settings.show", group="rest", done=1), 303)


def _wished(part: RestPart) -> Rest | None:
    """The rest that was typed, None if it is none."""
    begin, end = (clock_of(request.form.get(f"{part}_{field}", "")) for field in ("begin", "end"))
    if begin is None or end is None:
        return None
    rest = Rest(begin, end, frozenset(day for day in range(7) if request.form.get(f"{part}_{day}")))
    return rest if rest.fits else None


def _rests() -> dict:
    """The form of each part as it was typed, or as it is planned."""
    days = [(day, current().weekday(EPOCH.replace(day=1 + day))) for day in range(7)]  # 2024 began on a Monday
    return {"days": days, "parts": {part: _rest_typed(part) if request.form else _rest_planned(part) for part in RestPart}}


def _rest_typed(part: RestPart) -> dict:
    form = request.form
    return {"on": bool(form.get(f"{part}_on")), "begin": form.get(f"{part}_begin", ""), "end": form.get(f"{part}_end", ""),
            "days": {day for day in range(7) if form.get(f"{part}_{day}")}}


def _rest_planned(part: RestPart) -> dict:
    planned = board().rests().get(part)
    shown = planned or Rest(*NIGHT)
    return {"on": planned is not None, "begin": _clock(shown.begin), "end": _clock(shown.end), "days": shown.days}


def _clock(of_day: int) -> str:
    return f"{of_day % MINUTES_OF_DAY // 60:02}:{of_day % 60:02}"
