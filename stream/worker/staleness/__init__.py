"""Whether the numbers of a worker are live, and why not."""
