"""Two families of error: what we did wrong, and what a remote did wrong (the split is h11's)."""


class LocalMisuse(Exception):
    """This program or its caller broke a rule of ours; it is a bug or a bad argument, and it is raised."""


class RemoteFault(Exception):
    """Bytes from the air, a broker, a file or a card break a rule.

    Whoever reads remote bytes catches it, drops the bytes and counts `reason` (a short slug, never remote text).
    """

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason
