"""Agendas of other programs: read as drafts (iCalendar), compared with the board, taken over. Core."""
