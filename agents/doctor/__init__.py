"""Trouble with the servers of a worker: causes and mends, for the commands and the worker."""
