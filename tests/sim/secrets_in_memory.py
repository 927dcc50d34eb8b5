"""What an island in memory knows of the set's secrets."""


class SecretsInMemory:
    """What an island knows of the set's secrets, as its key folder keeps it."""

    def __init__(self, first):
        self._known = (first,)

    def generations(self):
        return self._known

    def keep_generations(self, known):
        self._known = known
