"""The one door for people: what may be read, posted, corrected and decided by keepers. Core."""
