"""What is known of one person: the days, hours and minutes on which they were active."""
