"""The work behind `engage state`: list, remove and copy what is stored in Redis."""
