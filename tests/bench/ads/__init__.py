"""The Yahoo streaming benchmark: ad views joined to their campaigns, counted by campaign and window."""
