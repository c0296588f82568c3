"""People: the days, hours and minutes on which one person was active."""
