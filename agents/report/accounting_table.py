"""Formats the accounting of a report: one line for the lines read, one for each part of them."""

from collections.abc import Iterator

from stream.report.accounting import LEFT_OUT, Accounting


def accounting_lines(accounting: Accounting) -> list[str]:
    """Format an accounting as aligned lines; as one line if everything was counted."""
    if not accounting.left_out:
        return [f"{accounting.lines:,} lines read, all counted"]
    rows = list(accounting_rows(accounting))
    digits = max(len(number) for number, _, _ in rows)
    names = max(len(name) for _, name, _ in rows)
    return [f"{number:>{digits}} {name:<{names}}  {text}".rstrip() for number, name, text in rows]


def accounting_rows(accounting: Accounting) -> Iterator[tuple[str, str, str]]:
    """Yield (number, name, meaning)."""
    yield f"{accounting.lines:,}", "lines read", ""
    yield f"{accounting.counted:,}", "counted", ""
    for name, lines in accounting.left_out.items():
        text = LEFT_OUT[name]
        if name == "no event":
            most_first = sorted(accounting.no_event.items(), key=lambda item: -item[1])
            text = ", ".join(f"{count:,} {reason}" for reason, count in most_first)
        yield f"{lines:,}", name, text
