"""What other sites give beside iCalendar files (feeds, pages, alerts): read as values, bounded whatever comes. Core."""
