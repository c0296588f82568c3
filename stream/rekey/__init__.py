"""Foreign records become records of our input topics; pure."""
