"""What the air engine was tuned to: every number that is a choice of ours and may differ from island to island.

T is the time on air of a full packet (`Context.unit_s`; LongFast, 188 B: 1.9 s): what is drawn from a span of T is drawn
evenly. The text below each field says its unit, its reason, and what set it.
"""

import random
from dataclasses import dataclass

Span = tuple[float, float]


@dataclass(frozen=True)
class Tuning:
    """The choices of one engine. What all islands must share stands beside the format instead (`packets`, `codes`)."""

    # Taking turns

    gap_t: Span = (0.2, 1.5)
    bulk_gap_t: Span = (4, 20)
    jitter_t: float = 10
    retry_s: float = 20
    lost_send_s: float = 180
    step_s: float = 0.02
    clock_jump_s: float = 86_400

    # Saying what we hold

    trickle_min_s: float = 300
    trickle_max_s: float = 7200
    trickle_redundancy: int = 1
    crowd: int = 3
    crowd_interval_s: float = 10_800
    lonely_interval_s: float = 1800
    unequal_interval_s: float = 900
    doubt: float = 0.4
    introductions: int = 3
    introduce_t: Span = (2, 20)
    explore_s: float = 12 * 3600
    answer_t: Span = (1, 6)
    hello_capacity: int = 40
    spare_capacity: int = 6
    small_sum: int = 16
    usual_capacity: int = 2
    answer_spare: int = 2
    free_capacity: int = 10
    unspoken_records: int = 3
    tell_neighbours_s: float = 1800

    # Asking for what we lack

    need_t: Span = (1.5, 6)
    piece_wait_t: Span = (6, 14)
    ask_again_t: Span = (15, 25)
    leave_asking_t: Span = (8, 16)
    soon_t: float = 10
    quiet_t: Span = (12, 18)
    flow_records: int = 5
    flow_quiet_t: Span = (300, 450)
    flow_unanswered: int = 5
    max_unanswered: int = 5
    few_lacking: int = 4
    few_unanswered: int = 3
    max_asks: int = 4
    named_asks: int = 2
    ask_all_from: int = 5
    max_in_vain: int = 6
    filter_doublings: int = 6
    filtered_elements: int = 512
    filter_bytes: float = 1.25
    least_filter_bytes: int = 100
    max_asked: int = 256

    # Serving what others lack

    threshold: float = 0.5
    urgent_threshold: float = 0.25
    onward: float = 2.0
    help: float = 0.55
    late: float = 0.15
    relay_least_t: float = 0.5
    leave_t: float = 16
    spread_t: float = 6
    rival_t: float = 1.5
    listen_t: float = 18
    review_t: float = 360
    asked_t: Span = (0.3, 1.5)
    unasked_records: int = 2
    few_due: int = 4
    patient_pushes: int = 6
    push_hold_s: float = 60
    max_push_hold_s: float = 3600
    max_transmissions: int = 512
    max_pushes: int = 1024

    # Sharing the air among authors

    fade_s: float = 3600
    least_crowd: float = 6.0
    least_asks: float = 3.0
    forget_author_s: float = 12 * 3600
    max_authors: int = 64

    # Knowing the neighbours

    first_loss: float = 0.2
    loss_step: float = 0.1
    min_loss: float = 0.02
    max_loss: float = 0.9
    max_sequence_gap: int = 16
    near_patience: float = 3
    far_patience: float = 2
    bulk_quiet: float = 1 / 8
    again_s: float = 1800
    long_ago_s: float = 5400
    forget_neighbour_s: float = 48 * 3600
    max_neighbours: int = 32

    # What is remembered, and what is done in one step

    refused_s: float = 3600
    max_refused: int = 256
    max_tags: int = 512
    max_summaries: int = 16
    max_partial_records: int = 32
    partial_record_s: float = 12 * 3600
    max_hours: int = 4
    sketched_in_step: int = 250
    served_in_step: int = 16


TUNING = Tuning()


@dataclass(frozen=True)
class Timing:
    """How the parts of one engine draw their delays: T in seconds (`unit_s`), and chance."""

    unit_s: float
    rng: random.Random
    tuning: Tuning = TUNING

    def draw_s(self, span_t: Span) -> float:
        """Seconds, drawn evenly from a span of T."""
        return self.unit_s * self.rng.uniform(*span_t)
