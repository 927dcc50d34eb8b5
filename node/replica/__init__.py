"""What belongs to the set and what becomes of a change to it: live set, trust, quotas, quarantine, admission. Core."""
