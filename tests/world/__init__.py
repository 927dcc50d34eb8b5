"""One world: whole islands, their cards, air, broker, sticks, people and faults in virtual time, from one seed.

`python -m tests.world` (`__main__`) runs worlds; `world` is one, `steps` what happens in it, `ledger` what was promised in
it, `invariants` what must hold. docs/contributing.md, "One world".
"""
