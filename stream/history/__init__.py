"""The rarer events of a person, kept one by one, and the counts they amount to."""
