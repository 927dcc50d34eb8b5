"""One sentence for each reason (`node.board.reasons`): what portal, command line and doctor all say of it."""

from collections.abc import Collection, Mapping

from node.board.reasons import (
    AuditAction,
    BundleFault,
    ClosedReason,
    DeliveryProblem,
    DraftField,
    ImportProblem,
    LeftOut,
    Pile,
    ProblemCode,
    ReportReason,
    StickProblem,
    VerdictReason,
    WaitReason,
)
from node.i18n.sentence import N_, Plural, Sentence, entry, sentence
from node.model.names import MAX_NAME
from node.model.passphrase import BOUNDS, PassphraseFault

NO_MOMENT = N_("This date or time cannot be read. Please write it like 21/03 and 18:30.")
NO_PICTURE = N_("This file is not a whole PNG or JPEG picture.")
CARD_KEEPS_NOTHING = N_("The memory card of this island keeps nothing more at the moment. Please tell its keeper, "
                        "and keep the file.")
TOO_MANY_TRIES = N_("There were too many wrong tries from this phone or its network. "
                    "Please wait some seconds, then press again.")
KEEPS_NO_POSTS = N_("This island cannot keep posts at the moment. Please try again in a few minutes.")

PASSPHRASES: Mapping[PassphraseFault, str | Plural] = {
    PassphraseFault.SHORT: Plural("Please choose a longer one: %(num)s character at least. Several words are best.",
                                  "Please choose a longer one: %(num)s characters at least. Several words are best."),
    PassphraseFault.LONG: Plural("Please choose a shorter one: %(num)s character at most.",
                                 "Please choose a shorter one: %(num)s characters at most."),
    PassphraseFault.UNREADABLE: N_("It holds an invisible character. Please type it again, with letters, digits, signs and "
                                   "spaces."),
    PassphraseFault.GUESSED: N_("This is what anybody would try first: a name, a number, a known word, or a repetition. "
                                "Please choose several words that do not belong together."),
}

PROBLEMS: Mapping[ProblemCode, str | Plural] = {
    ProblemCode.EMPTY: N_("Please write something here."),
    ProblemCode.TOO_LONG: Plural("Please shorten this by about %(num)s character.",
                                 "Please shorten this by about %(num)s characters."),
    ProblemCode.CONTROL_CHARACTER: N_("This text holds an invisible character that cannot be posted. "
                                      "Please type it again."),
    ProblemCode.INVISIBLE: N_("Nobody can see anything of this. Please write it with letters, numbers or other signs that "
                              "show."),
    ProblemCode.NOT_OFFERED: N_("Please choose one from the list."),
    ProblemCode.LIFE: Plural("A post stays %(num)s day at most.", "A post stays between 1 and %(num)s days."),
    ProblemCode.START_MISSING: N_("Please say on what day and at what time it starts, for example 21/03 and 18:30."),
    ProblemCode.END_BEFORE_START: N_("It ends before it starts. Please change one of the two."),
    ProblemCode.PAST: N_("This moment has passed. Please choose a later one."),
    ProblemCode.TOO_FAR: Plural("This is more than %(num)s day ahead. Please choose an earlier date.",
                                "This is more than %(num)s days ahead. Please choose an earlier date."),
    ProblemCode.LASTS_TOO_LONG: Plural("An event lasts %(num)s day at most. Please announce it in parts.",
                                       "An event lasts %(num)s days at most. Please announce it in parts."),
    ProblemCode.MOMENT: NO_MOMENT,
    ProblemCode.OFFSET: NO_MOMENT,
    ProblemCode.REPEATS: N_("Please say until which day, or how many times: 2 to %(num)s dates within 400 days."),
    ProblemCode.SEVERAL_DAYS: N_("Several days of the week go with each week, or every other one. Please choose one of "
                                 "these, or take the days off."),
    ProblemCode.WEEKDAY: N_("This date is another day of the week. Please change one of the two."),
    ProblemCode.END_HOUR: N_("Please say at what time it ends that day, or choose “all day”."),
    ProblemCode.NO_DATE: N_("This is none of its days, or cannot be read. Please write it like 24/12, or, for one that is "
                            "moved (by 22 days at most), 24/12 > 26/12 18:00."),
    ProblemCode.LINK: N_("A link begins with http:// or https:// and holds no space."),
    ProblemCode.POSITION: N_("Please write the position as two numbers, for example 48.8722, 2.3767."),
    ProblemCode.URGENT_NOT_ALLOWED: N_("This island has not been given the right to mark a post as urgent. Take the mark "
                                       "off, or sign as a group that has it."),
    ProblemCode.URGENT_NOT_GROUP: N_("This group has not been given the right to mark a post as urgent. Take the mark off, "
                                     "or sign as a group that has it."),
    ProblemCode.URGENT_KEEPERS: N_("On this island only keepers, and groups with that right, mark a post as urgent. Take "
                                   "the mark off, and tell the keepers."),
    ProblemCode.TARGET_GONE: N_("What this is about is no longer on the board."),
    ProblemCode.NOT_SIGNED_HERE: N_("This was posted on another island: here it can only be hidden."),
    ProblemCode.NOT_YOURS: N_("This was posted by someone else and cannot be changed here."),
    ProblemCode.WORD_WRONG: N_("This is not the edit code of this post. Please check each letter."),
    ProblemCode.CODE_SHORT: PASSPHRASES[PassphraseFault.SHORT],
    ProblemCode.CODE_LONG: PASSPHRASES[PassphraseFault.LONG],
    ProblemCode.CODE_UNREADABLE: PASSPHRASES[PassphraseFault.UNREADABLE],
    ProblemCode.CODE_GUESSED: PASSPHRASES[PassphraseFault.GUESSED],
    ProblemCode.GROUP_UNKNOWN: N_("No group of this name posts here."),
    ProblemCode.PASSPHRASE_WRONG: N_("This is not the passphrase of this group."),
    ProblemCode.MEMBERS_ONLY: N_("Only groups post on this island: please choose yours and give its passphrase."),
    ProblemCode.SHARE_USED: N_("This island already shows as many posts as it may. "
                               "Please withdraw an old one, or try later."),
    ProblemCode.SAID_ALREADY: N_("The same words were posted here several times this minute. Please say it another way."),
    ProblemCode.TOO_MANY_POSTS: Plural(
        "That is enough from one device for now, so that others have room too. Please send it again in %(num)s minute.",
        "That is enough from one device for now, so that others have room too. Please send it again in %(num)s minutes."),
    ProblemCode.TOO_MANY_CHANGES: Plural(
        "Many changes came from this device of late. Please send this one again in %(num)s minute.",
        "Many changes came from this device of late. Please send this one again in %(num)s minutes."),
    ProblemCode.TOO_MANY_WAITING: Plural(
        "What came from this device waits for a keeper already. Please send this again in %(num)s minute.",
        "What came from this device waits for a keeper already. Please send this again in %(num)s minutes."),
    ProblemCode.TOO_MANY_REPORTS: Plural(
        "The keepers were told of several posts from this device already. Please send this again in %(num)s minute.",
        "The keepers were told of several posts from this device already. Please send this again in %(num)s minutes."),
    ProblemCode.REPORTED_ENOUGH: N_("Several people have told the keepers about this post already, and they will read it. "
                                    "You need not do anything more."),
    ProblemCode.REPORTS_FULL: N_("The keepers were told so much of late that no more is kept. Please speak with them, "
                                 "or try again tomorrow."),
    ProblemCode.PICTURE_TYPE: NO_PICTURE,
    ProblemCode.PICTURE_BYTES: N_("This picture weighs too much: %(num)s kB at most. "
                                  "Please save it smaller, or in fewer colours."),
    ProblemCode.PICTURE_SIDE: N_("This picture is too large or too small: %(num)s pixels a side at most."),
    ProblemCode.PICTURE_CORNERS: N_("Please say where the two corners are: "
                                    "the first one north and west of the second."),
    ProblemCode.STREET_MAP: N_("This file is no extract of OpenStreetMap, and no street map. Please choose another one."),
    ProblemCode.STREET_MAP_BYTES: N_("This street map weighs too much: %(num)s kB at most. Please hand in the "
                                     "extract, to be drawn here."),
    ProblemCode.NOT_TO_CONFIRM: N_("There is nothing to confirm: that is for what another island has marked as urgent, "
                                   "while it stands, and never for official alerts."),
    ProblemCode.CONFIRMED_ENOUGH: Plural(
        "This island has confirmed %(num)s post within a day. Who confirms everything confirms nothing: please wait.",
        "This island has confirmed %(num)s posts within a day. Who confirms everything confirms nothing: please wait."),
    ProblemCode.TOKEN: N_("This page had been open for too long. Nothing is lost: please look it over and send it again."),
    ProblemCode.TRIES: TOO_MANY_TRIES,
}

FIELDS: Mapping[DraftField, str] = {
    DraftField.TEXT: N_("Text"), DraftField.TITLE: N_("Title"), DraftField.PLACE: N_("Place"),
    DraftField.ORGANISER: N_("Who organises it"), DraftField.LINK: N_("Link"), DraftField.START: N_("Start"),
    DraftField.END: N_("End"), DraftField.TOPIC: N_("Topic"), DraftField.LANGUAGE: N_("Language of the text"),
    DraftField.LIFE_DAYS: N_("Days it stays on the board"), DraftField.POSITION: N_("Position"),
    DraftField.PUBLISH_AT: N_("Publish later"), DraftField.WORD: N_("Edit code"), DraftField.GROUP: N_("Group"),
    DraftField.PASSPHRASE: N_("Passphrase"), DraftField.URGENT: N_("Urgent"), DraftField.REASON: N_("Reason"),
    DraftField.OWN_CODE: N_("Your own edit code"),
    DraftField.REPEAT: N_("Repeated"), DraftField.OFF: N_("Not on these days"), DraftField.MOVED: N_("Moved days"),
    DraftField.MARKS: N_("Offer or need"),
}

CLOSED: Mapping[ClosedReason, str] = {
    ClosedReason.NOT_ADMITTED: N_("This island may not post yet, or no longer: a keeper of the neighbourhood must vouch "
                                  "for it. Please tell its keeper."),
    ClosedReason.WAITING_FULL: N_("Too many posts wait for the keepers here. Please try again later."),
    ClosedReason.SHARE_FULL: N_("This island shows as many posts as it may. Withdraw old ones first: "
                                "nothing that waits is lost."),
    ClosedReason.TOO_LATE: N_("It came too late: what it is about is over, or was changed or withdrawn meanwhile."),
    ClosedReason.FULL: N_("The memory card of this island is full. Please tell its keeper."),
    ClosedReason.READ_ONLY: N_("The memory card of this island can no longer be written. Please tell its keeper."),
    ClosedReason.IO_ERROR: KEEPS_NO_POSTS,
    ClosedReason.CLOSED: KEEPS_NO_POSTS,
    ClosedReason.NEWER: KEEPS_NO_POSTS,
}

WAITS: Mapping[WaitReason, str] = {
    WaitReason.HOUR: N_("Your post is kept on this island and will be shown at its time."),
    WaitReason.RULE: N_("Your post is kept on this island. It will be shown once a keeper has read it."),
    WaitReason.PACE: N_("Your post is kept on this island. So many came of late that a keeper reads it before it is shown: "
                        "nothing is lost, and there is no need to send it again."),
}

PILES: Mapping[Pile, str] = {
    Pile.WAITING: N_("Waiting"),
    Pile.HERE: N_("On the board, posted here"),
    Pile.ELSEWHERE: N_("On the board, of groups and other islands"),
    Pile.HIDDEN: N_("Hidden here"),
}

REPORTS: Mapping[ReportReason, str] = {
    ReportReason.DANGER: N_("It puts somebody in danger"),
    ReportReason.INSULT: N_("It insults, threatens or spreads hatred"),
    ReportReason.PRIVATE: N_("It tells something private of somebody"),
    ReportReason.FALSE: N_("It is wrong, or over"),
    ReportReason.REPEATED: N_("Advertising, or the same again and again"),
    ReportReason.OTHER: N_("Something else"),
    ReportReason.MINE_CHANGE: N_("It is mine: please change it"),
    ReportReason.MINE_WITHDRAW: N_("It is mine: please withdraw it"),
}

VERDICTS: Mapping[VerdictReason, str] = {
    VerdictReason.EXPIRED: N_("out of date"),
    VerdictReason.SUPERSEDED: N_("older versions"),
    VerdictReason.RETRACTED: N_("withdrawn"),
    VerdictReason.OVER_SHARE: N_("above their author's share"),
    VerdictReason.PENNED: N_("wait for their author to be let in"),
    VerdictReason.EARLY: N_("wait for their hour"),
    VerdictReason.REVOKED: N_("of a key that was revoked"),
    VerdictReason.SIGNATURE: N_("forged or damaged"),
}

DELIVERIES: Mapping[DeliveryProblem, str] = {
    DeliveryProblem.NOTHING: N_("Please choose the file or the picture you have brought, or type the letters "
                                "from the paper."),
    DeliveryProblem.BUNDLE_MARK: N_("This file is not the board of an island. It is called archipel, then a date, then "
                                    ".bundle: it is often among the downloads of your phone."),
    DeliveryProblem.BUNDLE_VERSION: N_("This file comes from an island with a newer program, which this one cannot read "
                                       "yet. Please tell the keeper."),
    DeliveryProblem.OTHER_SET: N_("This file comes from another neighbourhood, which this island does not belong to."),
    DeliveryProblem.LETTERS: N_("There is a mistake in these letters. Please compare them with the paper, group by group."),
    DeliveryProblem.PICTURE_TYPE: NO_PICTURE,
    DeliveryProblem.PICTURE_BYTES: N_("This picture weighs too much. Please take a smaller one, of the code alone."),
    DeliveryProblem.PICTURE_SIDE: N_("This picture is too large or too small. Please take another one, of the code alone."),
    DeliveryProblem.NO_CODE: N_("No code of a post can be read in this picture. Please take it closer, sharp and in good "
                                "light, or type the letters below the code."),
    DeliveryProblem.NO_READER: N_("This island cannot read pictures. Please type the letters below the code."),
    DeliveryProblem.BUSY: N_("Others are giving their files at this moment. Please try again in a minute."),
    DeliveryProblem.FULL: CARD_KEEPS_NOTHING,
    DeliveryProblem.READ_ONLY: CARD_KEEPS_NOTHING,
    DeliveryProblem.IO_ERROR: CARD_KEEPS_NOTHING,
}

FAULTS: Mapping[BundleFault, str] = {
    BundleFault.HEADER: N_("its first lines are damaged"),
    BundleFault.DAMAGED: N_("parts of it are damaged"),
    BundleFault.CUT_SHORT: N_("its end is missing"),
    BundleFault.TOO_DAMAGED: N_("too much of it is damaged: the rest was not read"),
    BundleFault.TOO_LARGE: N_("it is too large: the rest was not read"),
    BundleFault.TOO_MANY: N_("it holds too many records: the rest was not read"),
    BundleFault.COUNT: N_("it does not hold as many records as it says"),
    BundleFault.SUM: N_("it was changed since it was made"),
    BundleFault.TOO_MANY_FORGED: N_("too much of it is forged: the rest was not read"),
}

STICKS: Mapping[StickProblem, str] = {
    StickProblem.NONE: N_("USB stick: done, you can take it."),
    StickProblem.FULL: N_("USB stick: it is full. What it brought is taken in; you can take it."),
    StickProblem.READ_ONLY: N_("USB stick: it cannot be written. What it brought is taken in; you can take it."),
    StickProblem.GONE: N_("USB stick: it was taken too early, or it is broken. Please plug it in again."),
    StickProblem.FAILED: N_("USB stick: this island keeps nothing more at the moment. Please tell its keeper."),
}

IMPORTS: Mapping[ImportProblem, str] = {
    ImportProblem.NOTHING: N_("Please choose the file of the agenda."),
    ImportProblem.AGENDA_MARK: N_("This file is no agenda. Its name ends with .ics, and calendar programs can open it."),
    ImportProblem.AGENDA_SIZE: N_("This agenda is too large: 2 MB at most. "
                                  "Many programs can give a part of it, such as one topic."),
    ImportProblem.SOURCE_MARK: N_("Neither an agenda nor news nor alerts are there: no iCalendar, RSS, Atom or JSON feed, "
                                  "no CAP, and no page that marks its events for programs (h-event)."),
    ImportProblem.STALE: N_("This file was given too long ago. Please give it again."),
}

LEFT_OUT: Mapping[LeftOut, str] = {
    LeftOut.PAST: N_("past"),
    LeftOut.TOO_FAR: N_("more than 400 days ahead"),
    LeftOut.LASTS_TOO_LONG: N_("longer than 45 days"),
    LeftOut.REPEATS: N_("repeated in a way this island does not understand"),
    LeftOut.ZONE: N_("in a time zone that nobody knows: their hour is not certain"),
    LeftOut.PRIVATE: N_("private"),
    LeftOut.ANSWER: N_("answers to an invitation"),
    LeftOut.BROKEN: N_("damaged or incomplete"),
    LeftOut.TOO_MANY: N_("beyond what is read of one file: those that come first are taken"),
    LeftOut.KNOWN: N_("announced here already by others"),
    LeftOut.OLDER: N_("older than what is here"),
    LeftOut.GONE: N_("withdrawn, hidden or cancelled here"),
    LeftOut.CANCELLED: N_("cancelled before they came"),
    LeftOut.LATER: N_("beyond the 50 that are taken at once: give the file again later"),
    LeftOut.SHARE_USED: N_("beyond half of this island’s share: the rest is for those who post here"),
    LeftOut.REFUSED: N_("refused by the board"),
    LeftOut.TOPIC: N_("of another topic"),
    LeftOut.WORDS: N_("without the words that you want"),
    LeftOut.PLACE: N_("at another place"),
    LeftOut.NO_POSITION: N_("do not say where they are on the map"),
    LeftOut.FAR: N_("too far from here"),
    LeftOut.DAYS: N_("too far ahead"),
    LeftOut.MINOR: N_("alerts of little severity"),
    LeftOut.DAILY: N_("beyond what this source may bring in a day: they come tomorrow"),
}

ACTIONS: Mapping[AuditAction, str] = {
    AuditAction.HIDE: N_("stopped showing a post"),
    AuditAction.SHOW: N_("showed a post again"),
    AuditAction.APPROVE: N_("approved a post"),
    AuditAction.REFUSE: N_("refused a post"),
    AuditAction.WITHDRAW: N_("withdrew a post"),
    AuditAction.CORRECT: N_("corrected a post"),
    AuditAction.CANCEL: N_("showed an event as cancelled"),
    AuditAction.MEET: N_("showed an offer or a need as settled"),
    AuditAction.CONFIRM: N_("confirmed an urgent post"),
    AuditAction.CONFIRM_BACK: N_("took back that an urgent post is confirmed"),
    AuditAction.CLEAR: N_("put several posts away"),
    AuditAction.UNDO: N_("brought posts back"),
    AuditAction.SETTLE: N_("saw nothing to do about a post that was reported"),
    AuditAction.SETTLE_ALL: N_("forgot all that was reported"),
    AuditAction.CONTACT: N_("changed how to reach the keepers"),
    AuditAction.APPROVE_MANY: N_("approved several posts"),
    AuditAction.SHOW_MANY: N_("showed several posts again"),
    AuditAction.POSTING: N_("changed who may post"),
    AuditAction.SETTINGS: N_("changed settings"),
    AuditAction.SETTINGS_TRIAL: N_("tried new settings"),
    AuditAction.SETTINGS_KEPT: N_("kept the new settings"),
    AuditAction.SETTINGS_BACK: N_("brought the earlier settings back"),
    AuditAction.WELCOME: N_("changed the words of welcome"),
    AuditAction.TOPICS: N_("changed which topics are offered"),
    AuditAction.RESTS: N_("changed the night rest"),
    AuditAction.OUTLINE: N_("changed the outline of the map"),
    AuditAction.PICTURE: N_("changed the picture of the map"),
    AuditAction.STREETS: N_("changed the street map"),
    AuditAction.CLOCK: N_("set the clock"),
    AuditAction.CLOCK_UNDO: N_("took back the setting of the clock"),
    AuditAction.RADIO_SUMMARY: N_("let the radio say at once what is here"),
    AuditAction.RADIO_SILENCE: N_("let the radio be silent for a while"),
    AuditAction.RADIO_ONLY_URGENT: N_("let the radio send what is urgent only, for a while"),
    AuditAction.RADIO_SHARE: N_("gave the radio another share of the air, for a while"),
    AuditAction.RADIO_FREE: N_("let the radio do as usual again"),
    AuditAction.RADIO_READERS: N_("changed who may read what the radio does"),
    AuditAction.IMPORT: N_("took over an agenda"),
    AuditAction.KEEPER: N_("gave a keeper a password"),
    AuditAction.KEEPER_GONE: N_("removed a keeper"),
    AuditAction.GROUP: N_("let a group sign here"),
    AuditAction.GROUP_PASSPHRASE: N_("changed a group’s passphrase"),
    AuditAction.GROUP_GONE: N_("removed a group"),
    AuditAction.VOUCH: N_("vouched for a key"),
    AuditAction.INVITE: N_("made an invitation"),
    AuditAction.REVOKE: N_("revoked a key"),
    AuditAction.REVOKE_UNDO: N_("dropped a revocation before it was sent"),
    AuditAction.REVOKE_FAILED: N_("revoked a key, and the set did not take it"),
    AuditAction.PAPER_KEY: N_("made a key on paper"),
    AuditAction.HANDOVER: N_("began to hand the island over"),
    AuditAction.HANDOVER_END: N_("ended a handover"),
    AuditAction.BACKUP: N_("made a backup"), AuditAction.BACKUP_TAKEN: N_("took a backup away"),
    AuditAction.BACKUP_DROPPED: N_("removed a backup from the card"),
    AuditAction.SESSION_END: N_("signed another keeper out"),
    AuditAction.RESTART_ISLAND: N_("let the island start again"),
    AuditAction.RESTART_BOX: N_("let the box start again"),
    AuditAction.UPDATE: N_("let the box look for an update on its stick"),
    AuditAction.WIPE: N_("ordered that this island be destroyed"),
    AuditAction.CARD: N_("had a card for a new box written"),
    AuditAction.SOURCE_GONE: N_("forgot an agenda"),
    AuditAction.GATHER: N_("approved a source"),
    AuditAction.GATHER_PAUSE: N_("paused a source"),
    AuditAction.GATHER_ON: N_("had a source asked again"),
    AuditAction.GATHER_GONE: N_("removed a source"),
    AuditAction.REFOUND: N_("founded the set anew, with founders’ keys"),
    AuditAction.RENEW_SECRET: N_("renewed the secret of the set"),
    AuditAction.CATCH_UP: N_("took the present secret from an invitation"),
}

TIME_SOURCES = {  # node.daemon.timerules.TimeSource
    "system": N_("this machine, which the network tells"), "gps": N_("satellites, by a radio"), "keeper": N_("a keeper"),
    "agreed": N_("two that say the same"), "radio": N_("a radio without satellites"), "island": N_("another island"),
    "machine": N_("this machine’s own clock"), "floor": N_("nobody"),
}


def time_source(slug: str) -> Sentence:
    """Who told an island the time."""
    return Sentence(TIME_SOURCES.get(slug, TIME_SOURCES["floor"]))


def problem(code: str, amount: int = 0) -> Sentence:
    """What to change in a draft (`node.board.api.Problem`)."""
    if code not in PROBLEMS:
        return sentence("This cannot be posted as it is. Please change it.")
    return entry(PROBLEMS[ProblemCode(code)], amount)


def passphrase(fault: PassphraseFault) -> Sentence:
    """Why a password or passphrase cannot be taken, and what to do."""
    return entry(PASSPHRASES[fault], BOUNDS.get(fault, 0))


def name_refused() -> Sentence:
    """What a keeper's or a group's name is made of (`node.model.names.fit_name`)."""
    return sentence("Please choose another name: 1 to %(most)s letters, digits and spaces, and a letter or a digit first.",
                    most=MAX_NAME)


def field_name(field: str) -> Sentence:
    """A field of a draft as its label names it."""
    return Sentence(FIELDS[DraftField(field)]) if field in FIELDS else sentence("This post")


def closed(reason: str) -> Sentence:
    """Why nothing can be kept now; a verdict on one's own post says no more than that."""
    return Sentence(CLOSED[ClosedReason(reason)] if reason in CLOSED else KEEPS_NO_POSTS)


def waits(reason: WaitReason) -> Sentence:
    """For what a post waits."""
    return Sentence(WAITS[reason])


def pile(which: Pile) -> Sentence:
    """Where a post is, as keepers call it."""
    return Sentence(PILES[which])


def report(reason: ReportReason) -> Sentence:
    """What somebody told the keepers about a post."""
    return Sentence(REPORTS[reason])


def verdict(reason: str) -> Sentence:
    """Why records were not kept."""
    return Sentence(VERDICTS[VerdictReason(reason) if reason in VERDICTS else VerdictReason.SIGNATURE])


def delivery(reason: str) -> Sentence:
    """Why nothing, or not all, of what somebody brought was taken in."""
    return Sentence(DELIVERIES[DeliveryProblem(reason)] if reason in DELIVERIES else CARD_KEEPS_NOTHING)


def faults(found: Collection[str]) -> list[Sentence]:
    """What was not good in a bundle, in the order of the list."""
    return [Sentence(text) for fault, text in FAULTS.items() if fault in found]


def stick(reason: str) -> Sentence:
    """How the visit of a USB stick ended."""
    return Sentence(STICKS[StickProblem(reason) if reason in STICKS else StickProblem.FAILED])


def agenda(reason: str) -> Sentence:
    """Why nothing of an agenda can be taken over."""
    return Sentence(IMPORTS[ImportProblem(reason)]) if reason in IMPORTS else closed(reason)


def left_out(reason: str) -> Sentence:
    """Why an event of an agenda is not taken over."""
    return Sentence(LEFT_OUT[LeftOut(reason) if reason in LEFT_OUT else LeftOut.REFUSED])


def action(reason: AuditAction) -> Sentence:
    """What a keeper did."""
    return Sentence(ACTIONS[reason])


RADIO_SETTINGS: Mapping[str, Sentence] = {  # by `node.daemon.radio_setting.Setting`
    "failed": sentence("the radio does not say that it is set so. Is it on and connected? Try again in a minute; if it "
                       "stays so, set it with a Meshtastic app."),
    "busy": sentence("the radio is being set up already. Try again in a minute."),
    "no-radio": sentence("this island has no radio ([radio] connect)."),
    "no-key": sentence("the radio tells too little of its settings to change only this one. Set it with a Meshtastic app."),
}
