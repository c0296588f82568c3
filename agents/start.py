"""`engage` from its first line: a signal ends it, also while its modules are imported."""

from agents.commands.signals import end_at_once


def main() -> None:
    """Run the command line."""
    end_at_once()
    from agents.cli.main import main as engage

    engage()
