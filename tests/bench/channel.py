"""What a run made of everybody's channel, from the log of the air: how busy it was for whom, and who sent for us."""


from radio.lora import LONG_FAST

HOUR_S = 3600


def channel_use(made, log, run_s):
    """`busiest_channel`: the largest part of any hour that the channel of any node was busy; `busiest_channel_mean`: the
    same of the whole run; `copies_s`: the air of what radios passed on, and `plain_s`: of all that plain nodes sent.

    `log`: each transmission as `Sent`, in order of time. A node's channel is what it sends and could hear; what overlaps
    there counts once.
    """
    flights = [(sent.at - LONG_FAST.time_on_air_s(sent.frame.size_bytes), sent.at, sent) for sent in log]
    heard = {node: {node, *others} for node, others in made.heard_by.items()}
    channels = [united((start, end) for start, end, sent in flights if node in heard[sent.node]) for node in heard]
    return {
        "busiest_channel": max(busiest_s(spans) for spans in channels) / HOUR_S,
        "busiest_channel_mean": max(sum(end - start for start, end in spans) for spans in channels) / max(run_s, 1),
        "copies_s": sum(end - start for start, end, sent in flights if sent.frame.origin != sent.node),
        "plain_s": sum(end - start for start, end, sent in flights if sent.node in made.plain),
    }


def united(spans):
    """The same time in spans that do not overlap."""
    apart = []
    for start, end in sorted(spans):
        if apart and start <= apart[-1][1]:
            apart[-1] = apart[-1][0], max(end, apart[-1][1])
        else:
            apart.append((start, end))
    return apart


def busiest_s(spans):
    """The most seconds of these spans that lie in one hour: one that ends as a span does."""
    most_s = within_s = first = 0
    for start, end in spans:
        within_s += end - start
        while spans[first][1] <= end - HOUR_S:
            within_s -= spans[first][1] - spans[first][0]
            first += 1
        most_s = max(most_s, within_s - max(end - HOUR_S - spans[first][0], 0))
    return most_s
