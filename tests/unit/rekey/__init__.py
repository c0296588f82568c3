"""Foreign records become records of our topics."""
