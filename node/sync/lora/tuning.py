"""What the air engine was tuned to: every number that is a choice of ours and may differ from island to island.

T is the time on air of a full packet (`Context.unit_s`; LongFast, 188 B: 1.9 s); what is drawn from a span is drawn evenly.
The text below each field says its unit, its reason, and what set it: a bench, test or document; in brackets the commit that
brought the value, often with others. Where "nothing on record" stands, the reason is what the code shows.

Measured are half and twice the value, `python -m tests.bench.air --only ours --tune NAME=VALUE`, in what is reached of

    line    --topology line
    grid    --topology grid
    cell    --topology cell --nodes 12 --loss 0.3 --records 15 --hours 4
    bad     --topology cell --nodes 8 --loss 0.5 --records 12 --hours 3
    plain   --topology grid --plain-relays 0.3 --records 20 --hours 5
    join    --scenario join --topology grid --nodes 6 --records 60
    wide    --scenario merge --topology line --nodes 3 --records 160
    flood   --scenario flood --topology line --nodes 5 --flood 20 --records 15 --hours 4
    idle    --scenario idle --topology grid --hours 12

and what is told is by how much the bytes differ, in parts of the oracle's (idle: seconds of air an hour). One to three
seeds see differences from about 0.05 (line), 0.07 (grid), 0.08 (join, wide), 0.1 (plain, flood), 0.14 (cell, bad), 0.2 s
(idle) on: less is called noise, and a choice within noise is on a plateau, not proved.
"""

from dataclasses import dataclass
from random import Random

Span = tuple[float, float]


@dataclass(frozen=True)
class Tuning:
    """The choices of one engine. What all islands must share stands beside the format instead (`packets`, `codes`)."""

    # Taking turns

    gap_t: Span = (0.2, 1.5)
    """T. Pause after a packet: two that do not hear each other would go on meeting in the air.
    Set by: nothing on record; bench air, half: grid +0.09; twice: line +0.08."""
    bulk_gap_t: Span = (4, 20)
    """T. The same after a repair: a burst of many would collide with other bursts, and leave nobody else a turn.
    Set by: bench air, join and merge: 2.5 to 1.5 x minimum, with others (94752e5); now half: join +0.25; twice: join
    -0.13."""
    few_gap_t: Span = (2, 8)
    """T. As `bulk_gap_t` while few wait to be sent.
    Set by: the first evening."""
    few_repairs: int = 12
    """Records. Up to so many waiting are few.
    Set by: the first evening."""
    jitter_t: float = 10
    """T. Drawn up to this when the governor made us wait: governors count in grains of the same clock, and two that wait
    would begin together.
    Set by: tests/sync/lora/test_repairs.py, two whose budgets end together; bench air, half or twice is within noise."""
    retry_s: float = 20
    """Seconds. Pause after the radio refused a packet or failed; the governor adds its own after a refusal.
    Set by: nothing on record; bench air, half or twice changes no packet."""
    lost_send_s: float = 180
    """Seconds. A link that never says SendDone must not silence us; nor do we wait longer for the governor without asking
    it again.
    Set by: nothing on record; bench air, half is within noise; twice: line +0.06."""
    step_s: float = 0.02
    """Seconds. Between two steps of long work, so that other events come between them.
    Set by: nothing on record; bench events: a quarter or five times makes no difference to the slowest event."""
    clock_jump_s: float = 86_400
    """Seconds. A larger step between two events is a clock that was set, not time that passed.
    Set by: tests/sync/lora/test_engine.py, a clock that jumps."""

    # Radios that hear only what is signed

    max_unsigned_in_vain: int = 16
    """Packets. So many in a row that our radio did not sign, and a neighbour that lacks what was in them is sent signed
    ones: its radio, or a relay between us, may refuse others without saying so.
    Set by: bench air, grid, 16 seeds: with 8, collisions do the same and cost 7 % of the air; with 16, 1 %."""
    signed_s: float = 6 * 3600
    """Seconds. Then a longer packet is tried again: radios are set anew, relays go.
    Set by: nothing on record."""

    # Saying what we hold

    trickle_min_s: float = 300
    """Seconds. Imin of Trickle (RFC 6206).
    Set by: the simulation that the protocol was designed by."""
    trickle_max_s: float = 7200
    """Seconds. Imax: while all agree, each says so every two hours.
    Set by: docs/protocol.md, 5.6, idle below 3 s of air an hour; bench air, half: plain +0.20, idle +1.35; twice: idle
    -0.35."""
    trickle_redundancy: int = 1
    """Messages. k: one that says the same is enough.
    Set by: RFC 6206, 6.1; bench air, half: grid median x 3.3, plain +0.17, not all equal in time, idle -1.11; twice: grid
    +0.10, plain +0.19, idle +0.55."""
    crowd: int = 3
    """Neighbours. From so many on each may rest longer: another of them speaks.
    Set by: bench air, idle, grid of 20: 3.4 to 2.0 s an hour (94752e5); now half: idle -0.92; twice: idle +1.21."""
    crowd_interval_s: float = 10_800
    """Seconds. Imax in such a crowd.
    Set by: as `crowd`; bench air, half: idle +0.95; twice: idle -0.29."""
    lonely_interval_s: float = 1800
    """Seconds. Imax while we hear nobody, and the pause between two SUMs that correct who sends too far: rare, but within
    the hour.
    Set by: tests/sync/lora/test_hops.py; bench air, half or twice changes no packet."""
    unequal_interval_s: float = 900
    """Seconds. Imax while we know that a neighbour holds what we lack, or lacks what we hold.
    Set by: nothing on record (1800 s before d06c4d2); bench air, half: plain +0.22; twice is within noise."""
    doubt: float = 0.4
    """Neighbours. So many must be expected to lack something before an interval below the longest ends in a SUM.
    Set by: nothing on record (0.25 before 40a9712); bench air, half: plain +0.12; twice is within noise."""
    introductions: int = 3
    """Packets. First SUMs, said whatever was heard: a single one may be lost, and then a neighbour would not know that we
    are there.
    Set by: tests/sync/lora/test_hops.py; bench air, half: grid +0.23, join +0.11; twice: grid +0.16, plain +0.32, idle
    +5.38."""
    introduce_t: Span = (2, 20)
    """T. Until the SUM for a neighbour that does not know us: several may have missed us, and the next may know us by
    then.
    Set by: nothing on record; bench air, half or twice is within noise."""
    introduce_again_s: float = 300
    """Seconds. Between two of those, and between two that a keeper asks for.
    Set by: nothing on record."""
    assure_t: Span = (60, 180)
    """T. After the last record of many: whoever may have missed it is told what we hold, or would learn it in hours.
    Set by: the first evening: 2 of 60 waited for two hours; bench air, for everybody: line +0.06, grid +0.10."""
    assure_times: int = 3
    """Packets. So often that is said on a first evening until something new comes: one may be lost, and an equal one is not
    answered.
    Set by: the first evening: 2 of 120 missed the last records for hours; always: ring with plain nodes +0.25."""
    assure_doubt: float = 0.15
    """Probability. That it missed something, or it is not worth saying.
    Set by: nothing on record."""
    assure_new_s: float = 3600
    """Seconds. While we have known a neighbour no longer: people stand beside the boxes and wait.
    Set by: the first evening."""
    explore_s: float = 12 * 3600
    """Seconds. And up to half as much again: so long nothing came with hops, and a SUM goes far. A group behind three
    plain relays may have lost all our introductions.
    Set by: tests/sync/lora/test_convergence.py, plain relays among islands (43ad6a2; 24 h before 5faf3dd); bench air,
    half: idle +1.01; twice: idle -0.28."""
    probe_s: float = 1800
    """Seconds. Between two SUMs that go as far as who is behind relays and has been silent.
    Set by: the prototype of the first trials on the air."""
    answer_t: Span = (1, 6)
    """T. Until a SUM or a HAVE in answer: several may have heard the same, one is to be first.
    Set by: nothing on record; bench air, half: line +0.05, cell -0.14, idle +0.67; twice: grid +0.10, median x 1.8, plain
    +0.12, idle -0.28."""
    hello_capacity: int = 40
    """Elements. Capacity of a SUM that is to tell most differences: the most that a SUM may have.
    Set by: docs/protocol.md, 5.2; bench air, half is within noise; twice: join +0.20."""
    spare_capacity: int = 6
    """Elements. More than the difference of the counts, as both sides may lack something.
    Set by: tests/sync/lora/test_repairs.py, a difference that could not be told (f61867b); bench air, half or
    twice is within noise."""
    small_sum: int = 16
    """Elements. A difference beyond a SUM of this capacity is met with a filter, not with a larger SUM.
    Set by: decoding: capacity 16 took 7 ms of a desktop core when it was chosen; bench air, half: line +0.05; twice is
    within noise."""
    usual_capacity: int = 2
    """Elements. Capacity of a SUM when nothing is known to differ, and of one that rides along: 8 B.
    Set by: nothing on record; bench air, half: grid +0.15; twice: plain +0.15."""
    answer_spare: int = 2
    """Elements. More than was found to differ, in a SUM that answers: something may come meanwhile.
    Set by: nothing on record; bench air, half or twice is within noise."""
    free_capacity: int = 10
    """Elements. At most, where a larger SUM costs nothing: it fills what would be zeros to avoid the signature.
    Set by: nothing on record; bench air, half or twice is within noise."""
    unspoken_records: int = 3
    """Records. Who kept so many new ones, or one a neighbour, and said nothing speaks: it would be taken to be away
    (`near_patience`).
    Set by: nothing on record; bench air, half or twice is within noise."""
    tell_neighbours_s: float = 1800
    """Seconds. Between two NEIGHBOURS while they are the same: one may have been lost.
    Set by: nothing on record; bench air, half is within noise; twice: grid +0.12."""

    # Asking for what we lack

    need_t: Span = (1.5, 6)
    """T. Until we ask for what a summary showed: it may come by itself, or another may ask.
    Set by: nothing on record; bench air, half: grid +0.13; twice: grid +0.12."""
    piece_wait_t: Span = (6, 14)
    """T. Until we ask for the rest of a record in pieces: the sender goes on.
    Set by: tests/sync/lora/test_repairs.py, those who missed the same piece; bench air, half is within noise; twice: grid
    +0.07."""
    ask_again_t: Span = (15, 25)
    """T. Until the same is asked again; doubled for each question in a row that nothing answered.
    Set by: nothing on record; bench air, half: grid +0.23; twice: grid +0.09, join -0.08."""
    few_again_t: Span = (4, 8)
    """T. The same while few are lacking.
    Set by: the first evening."""
    tell_again_t: Span = (15, 25)
    """T. Until we say again what we hold while a neighbour's set differs in what we do not know; doubled each time in vain.
    Set by: the first evening."""
    leave_asking_t: Span = (8, 16)
    """T. Until we ask for what another asked for: what it gets, we hear too.
    Set by: nothing on record; bench air, half or twice is within noise."""
    soon_t: float = 10
    """T. What is to be asked so soon is asked now, in the same packet as what is due.
    Set by: nothing on record; bench air, half or twice is within noise."""
    quiet_t: Span = (12, 18)
    """T. No question so long after something that we lack came: more may follow. Drawn, as all who lack it heard the same
    packet.
    Set by: bench air, cell of 20: a quarter fewer bytes once drawn (3929044); now half: plain +0.11; twice: line
    +0.06."""
    flow_records: int = 5
    """Records. From so many in a row on it is a flow: whoever sends so many has more.
    Set by: nothing on record (89faa1d); bench air, half is within noise; twice: grid +0.10."""
    flow_quiet_t: Span = (30, 45)
    """T. As `quiet_t` in a flow: a repair is followed by a pause, and others may have their turn.
    Set by: `bulk_gap_t` and `jitter_t`; bench air."""
    tired_quiet_t: Span = (300, 450)
    """T. The same while the sender has used up its air: all that is lacking then fits one question.
    Set by: bench air, join and merge: 30 T before (94752e5); now half is within noise; twice: join +0.08."""
    flow_unanswered: int = 5
    """Questions. After a flow, as if so many had been left unanswered: the sender may pause for an hour.
    Set by: bench air, join and merge (94752e5); now half or twice is within noise."""
    evening_unanswered: int = 2
    """Doublings. The same on a first evening: people wait, and most of what goes by a plain node is lost.
    Set by: the first evening, a plain node between."""
    max_unanswered: int = 5
    """Doublings. Of `ask_again_t`, at most: 32 x 20 T are 20 minutes on LongFast.
    Set by: nothing on record (89faa1d); bench air, half: join +0.23; twice: join -0.08."""
    few_lacking: int = 8
    """Records. Up to so many lacking are few, also while it is not known which: a sender has airtime left for those.
    Set by: tests/sync/lora/test_repairs.py, who lacks little asks more often (d06c4d2); bench air, half: line +0.05;
    twice is within noise."""
    few_unanswered: int = 4
    """Doublings. Of `ask_again_t` while few are lacking.
    Set by: as `few_lacking` (d06c4d2); bench air, half: line +0.07; twice is within noise."""
    max_asks: int = 4
    """Questions. For one record: then it may not exist, as a sketch too small can pass for another set. Compare by a
    large one.
    Set by: tests/sync/lora/test_engine.py, what nobody gives (c870c8c); bench air, half or twice is within noise."""
    named_asks: int = 2
    """Questions. So often the same neighbour is named before anybody is: a question or its answer may be lost.
    Set by: bench air, questions to one node: 0.08 less (5faf3dd); tests/sync/lora/test_direct.py; now half: grid +0.08;
    twice: line +0.07."""
    ask_all_from: int = 5
    """Neighbours. From so many on a question goes to all: others lack the same, and what they hear asked they need not
    ask.
    Set by: bench air, cell of 20 (492dce0); tests/sync/lora/test_direct.py; now half or twice is within noise."""
    max_in_vain: int = 6
    """Questions. To one neighbour alone, in a row: then its radio may not know our key, or ours not its, and all are
    asked.
    Set by: tests/sync/lora/test_direct.py (5faf3dd); bench air, half or twice is within noise."""
    filter_doublings: int = 6
    """Doublings. Of `answer_t` before the next filter, at most, one for each round of all parts that did not help.
    Set by: nothing on record; bench air, half or twice is within noise."""
    filtered_elements: int = 512
    """Elements. In one filter: a larger set is told part by part, as less than three bits an element would tell too
    little.
    Set by: docs/protocol.md, 5.3; tests/sync/lora/test_inventory.py (135b28e); bench air, half or twice changes no
    packet."""
    filter_bytes: float = 1.25
    """Bytes. Of filter for each element: at 10 bits and 6 hashes 1 % of what is lacking seems to be there.
    Set by: Bloom 1970; docs/protocol.md, 5.3; bench air, half: join +0.33, wide +0.11, not all equal in time; twice is
    within noise."""
    least_filter_bytes: int = 100
    """Bytes. A packet with less room gets no filter of a large set: it would say too little.
    Set by: nothing on record; bench air, half or twice is within noise."""
    max_asked: int = 256
    """Questions. Remembered: a bound on memory, 8 packets of NEED.
    Set by: tests/sync/lora/test_engine.py, memory is bounded."""

    # Serving what others lack

    threshold: float = 0.5
    """Neighbours. That a transmission must be expected to serve, or it is not worth our airtime.
    Set by: nothing on record; bench air, half: line +0.08, grid +0.41, cell +0.19, join +0.10, plain +0.22; twice: grid
    median x 1.8."""
    far_threshold: float = 0.9
    """Neighbours. The same of those behind relays, each of which sends it again.
    Set by: the prototype of the first trials on the air."""
    hidden_t: float = 4
    """T. As `rival_t`, for each behind relays who holds it: relays are heard late, and their sender is not.
    Set by: the prototype of the first trials on the air."""
    urgent_threshold: float = 0.25
    """Neighbours. The same for an urgent record, which is to arrive even at the price of a needless transmission.
    Set by: nothing on record; bench air, half or twice changes no packet."""
    onward: float = 2.0
    """Neighbours. While one more transmission serves so many, it follows at once instead of after `listen_t`.
    Set by: bench air, cell of 20 (3929044); tests/sync/lora/test_repairs.py; now half: cell -0.18; twice is within
    noise."""
    help: float = 0.55
    """Probability. That another node which may hold the record serves a neighbour whom we know it to hear.
    Set by: nothing on record (d46b098); bench air, half: line +0.06, grid +0.26, join +0.17; twice: grid +0.09."""
    late: float = 0.15
    """Probability. That who should pass a record on has no airtime left, each time that we look again.
    Set by: nothing on record (5faf3dd); bench air, half is within noise; twice: grid +0.08."""
    relay_least_t: float = 0.5
    """T. Least delay before a relay: the sender's radio must listen again.
    Set by: nothing on record; bench air, half is within noise; twice: grid +0.16."""
    leave_t: float = 16
    """T. More delay, the less a transmission of ours gains: whoever serves more goes first and may spare us ours.
    Set by: the simulation that the protocol was designed by (7d1e55c); bench air, half or twice is within noise."""
    spread_t: float = 6
    """T. Drawn up to this besides: among equals one is to be first.
    Set by: nothing on record (4 before d46b098); bench air, half is within noise; twice: grid +0.11."""
    rival_t: float = 1.5
    """T. As `spread_t`, for each who may send the same: one is to be first, and heard by the others in time.
    Set by: bench air, cell of 20 (c870c8c); now half or twice is within noise."""
    listen_t: float = 18
    """T. A neighbour that has more to serve would have passed it on by then.
    Set by: leave_t and a packet's time: the latest that a relay begins (a84d238); bench air, half: grid +0.08; twice is
    within noise."""
    review_t: float = 360
    """T. What seemed not worth sending is looked at again: a neighbour may be back.
    Set by: bench air, join and merge (94752e5); now half or twice is within noise."""
    asked_t: Span = (0.3, 1.5)
    """T. Until we answer a NEED that names us: nobody else will, and the asker listens.
    Set by: nothing on record; bench air, half is within noise; twice: grid +0.09, cell +0.23."""
    turn_t: float = 1.2
    """T. So much later for each piece and record that the same packet asked of others before: two who do not hear each
    other would answer at once, and neither be heard.
    Set by: the first evening."""
    unasked_records: int = 2
    """Records. A neighbour lacks no more than so many: they are sent. Of more it first says whom it wants them from.
    Set by: tests/sync/lora/test_repairs.py (40a9712); bench air, half or twice is within noise."""
    few_due: int = 4
    """Records. Repairs under way; with more to come, nothing is sent twice before its receiver has told what it lacks.
    Set by: bench air, join and merge (94752e5); now half or twice changes no packet."""
    patient_pushes: int = 6
    """Transmissions. Of one record to a neighbour that never takes it: then it is left alone for a while.
    Set by: nothing on record; bench air, half or twice is within noise."""
    push_hold_s: float = 60
    """Seconds. So long after those; doubled with each further one.
    Set by: nothing on record; bench air, half or twice changes no packet."""
    max_push_hold_s: float = 3600
    """Seconds. And never longer.
    Set by: nothing on record; bench air, half or twice changes no packet."""
    max_transmissions: int = 512
    """Records. Under way, waiting to be looked at, or looked up in a filter at once: a bound on memory and on the length
    of a step.
    Set by: docs/protocol.md, 5.5; bench events."""
    max_pushes: int = 1024
    """Pairs. Of neighbour and record remembered: a bound on memory.
    Set by: docs/protocol.md, 5.5."""

    # Sharing the air among authors

    fade_s: float = 3600
    """Seconds. Time constant with which sendings are forgotten: the governor's hour.
    Set by: radio/airtime.py; bench air, half or twice is within noise."""
    least_crowd: float = 6.0
    """Transmissions. An hour that crowd nobody, however few authors there are: a third of the 16 packets that 1 % of an
    hour holds.
    Set by: tests/sync/lora/test_fairness.py (d7bd71c); bench air, half or twice is within noise."""
    least_asks: float = 3.0
    """Packets. Without a record, an hour, before they leave room for records.
    Set by: tests/sync/lora/test_fairness.py (d7bd71c); bench air, half is within noise; twice: flood +0.20."""
    forget_author_s: float = 12 * 3600
    """Seconds. An author not met for so long keeps nothing back for itself.
    Set by: tests/sync/lora/test_fairness.py (d7bd71c); bench air, half or twice is within noise."""
    max_authors: int = 64
    """Authors. Counted: a bound on memory; whoever was not met for longest gives way.
    Set by: tests/sync/lora/test_fairness.py."""

    # Leading those who speak with an earlier secret

    led_t: Span = (1, 30)
    """T. From hearing one of them to sending what leads it: several hear it, and who hears another one lead does not.
    Set by: tests/sync/lora/test_guide.py, one of three leads."""
    led_answer_t: Span = (0.3, 1.5)
    """T. Until it gets the pieces that it asked us for: as for a need that names us.
    Set by: docs/protocol.md, 5.5."""
    led_again_s: float = 900
    """Seconds. Until the same record is begun anew for who still speaks so; doubled each time in a row.
    Set by: nothing on record: it speaks each 5 minutes at most, and ten seats take a quarter of the hour's air."""
    max_led_again_s: float = 7200
    """Seconds. And never later: as often as a quiet neighbour speaks.
    Set by: tests/sync/lora/test_guide.py, who has left and keeps speaking costs little."""
    led_forget_s: float = 86_400
    """Seconds. Without one of them, until the doubling starts anew.
    Set by: nothing on record."""
    led_extra: int = 2
    """Transmissions. Of the whole record, that may be asked for each time in pieces: whoever left can ask too.
    Set by: tests/sync/lora/test_guide.py."""
    max_led: int = 16
    """Records. Under way in this way: a bound on memory.
    Set by: nothing on record: one for each secret that is led from, and few revocations."""

    # Knowing the neighbours

    first_loss: float = 0.2
    """Probability. That a packet of a new neighbour is lost, until its sequence numbers tell.
    Set by: the loss that the benches take for usual; bench air, half: line +0.05, bad -0.24; twice: plain +0.18, bad
    -0.29."""
    loss_step: float = 0.1
    """Fraction. Weight of the last packet in that estimate: a mean over about ten.
    Set by: nothing on record; bench air, half: bad -0.17; twice: bad -0.17."""
    max_far_loss: float = 0.49
    """Probability. The same of one behind relays, whatever their number: each step has `first_loss`.
    Set by: nothing on record."""
    evening_far_loss: float = 0.65
    """Probability. The same on a first evening: all talk at once then, and who do not hear each other collide at the relay
    between them.
    Set by: the first evening, a plain node between, 60 seeds: within 10 minutes 0.35 without, 0.48 with 0.5, 0.58 with
    0.65, 0.50 with 0.7 (docs/protocol.md, 5.6); for good, 0.49 costs 0.7 in trees and 0.5 in chains."""
    evening_s: float = 3600
    """Seconds. A first evening lasts so long from when the radio came up on an island that holds no post yet.
    Set by: the first evening; for who restarts with few records as well, chains and trees cost 0.2 more."""
    min_loss: float = 0.02
    """Probability. The estimate is never lower: a silence still means a little.
    Set by: nothing on record; bench air, half or twice changes no packet."""
    max_loss: float = 0.9
    """Probability. And never higher: one packet in ten is heard, or it is no neighbour.
    Set by: nothing on record; bench air, half or twice is within noise."""
    max_sequence_gap: int = 16
    """Packets. A larger step in sequence numbers is a restart or a long silence, and tells nothing.
    Set by: nothing on record; bench air, half or twice changes no packet."""
    there_s: float = 600
    """Seconds. Heard so lately, a neighbour is there, however many records went out for it: it has nothing to say while it
    takes them in.
    Set by: the first evening: 2 of 120 missed the last records of a burst for hours."""
    near_patience: float = 3
    """Records. Without a word from it, before a neighbour is taken to be away; more if it has more neighbours, as in a
    crowd each speaks seldom.
    Set by: tests/sync/lora/test_hops.py (5faf3dd); bench air, half: line +0.06; twice: line +0.06."""
    far_patience: float = 2
    """Records. The same behind relays, where each record costs their airtime too.
    Set by: bench air: 0.04 less (5faf3dd); now half or twice is within noise."""
    tired: float = 0.7
    """Fraction. Of what may be used at once, so much used makes a neighbour tired: its silence is no absence, no refusal.
    Set by: bench air."""
    far_tries: int = 2
    """Packets. To one behind relays, without a word from it: the next may be passed on by one relay more.
    Set by: bench air, mixed."""
    max_begs: int = 2
    """Questions. In a row from one whom we leave to islands between: then it is ours as well.
    Set by: the prototype of the first trials on the air."""
    silent_s: float = 3 * 3600
    """Seconds. Who was heard within them is more likely silent than gone: what is sent meanwhile needs no relays.
    Set by: the first evening."""
    lent: float = 1 / 2
    """Fraction. Of what those who hear only us leave of their share: the rest stays theirs for what comes.
    Set by: bench air, star."""
    bulk_quiet: float = 1 / 8
    """Records. What a repair counts for: who is being sent many listens, and says nothing.
    Set by: bench air, join and merge (94752e5); now half or twice changes no packet."""
    introduced_s: float = 1800
    """Seconds. Before a neighbour three relays away counts: its introduction is over, and the islands between have sent
    their lists.
    Set by: tests/sync/lora/test_hops.py (c870c8c); bench air, half or twice changes no packet."""
    long_ago_s: float = 5400
    """Seconds. The same without all those lists: they would have come by now.
    Set by: tests/sync/lora/test_hops.py (5faf3dd); bench air, half or twice changes no packet."""
    forget_neighbour_s: float = 48 * 3600
    """Seconds. A neighbour not heard for so long is new when it comes back: an island that is off for a night or a day is
    not.
    Set by: tests/sync/lora/test_convergence.py, an island off for a day (12 h before 94752e5); bench air, half or twice
    changes no packet."""
    max_neighbours: int = 32
    """Neighbours. Known: a bound on memory; whoever was not heard for longest gives way.
    Set by: docs/protocol.md, 5.4; tests/sync/lora/test_engine.py, memory is bounded."""

    # What is remembered, and what is done in one step

    refused_s: float = 3600
    """Seconds. What we refused is not asked for, and not looked at, so long: the reason may end, as when a vouch comes.
    Set by: nothing on record; bench air, half or twice changes no packet."""
    max_refused: int = 256
    """Records. Refused that are remembered: a bound on memory.
    Set by: docs/protocol.md, 5.5."""
    max_tags: int = 512
    """Packets. Whose tags are remembered, to drop a replay: some hours of what is heard.
    Set by: docs/protocol.md, 5.2."""
    max_summaries: int = 16
    """Summaries. That wait for the sketch of their hour: a bound on memory.
    Set by: docs/protocol.md, 5.5."""
    max_partial_records: int = 128
    """Records. In pieces: a bound on memory, 224 kB. With 32 an empty island with two quick neighbours threw pieces away.
    bench air, join, grid, --share 0.5: 1.39 to 1.06 x oracle.
    Set by: docs/protocol.md, 5.5; tests/sync/lora/test_engine.py, memory is bounded."""
    partial_record_s: float = 12 * 3600
    """Seconds. Pieces are kept so long: a sender whose hour is spent goes on in the next, or after the night.
    Set by: bench air, join and merge (1 h before 94752e5); tests/sync/lora/test_hostile.py; now half or twice changes no
    packet."""
    max_hours: int = 4
    """Hours. Sketched and kept: the present one, the next, and two of neighbours whose clocks differ.
    Set by: docs/protocol.md, 5.5."""
    sketched_in_step: int = 250
    """Records. Taken into a sketch at once.
    Set by: bench events, 3000 records: slowest 5.8 ms, 16.6 ms at 1000, of 30."""
    served_in_step: int = 16
    """Records. That a neighbour lacks, verified at once.
    Set by: nothing on record; bench events: a quarter or four times makes no difference to the slowest event."""


TUNING = Tuning()


@dataclass(frozen=True)
class Timing:
    """How the parts of one engine draw their delays: T in seconds (`unit_s`), and chance."""

    unit_s: float
    rng: Random
    tuning: Tuning = TUNING

    def draw_s(self, span_t: Span) -> float:
        """Seconds, drawn evenly from a span of T."""
        return self.unit_s * self.rng.uniform(*span_t)
