"""A report on all cores: processes that read parts of the inputs, and then count parts of the people."""
