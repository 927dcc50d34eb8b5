"""Agendas of other programs (iCalendar, RFC 5545): read as drafts, compared with the board, taken over. Core."""
