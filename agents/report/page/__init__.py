"""`engage report --html`: one self-contained page with the numbers of a report."""
