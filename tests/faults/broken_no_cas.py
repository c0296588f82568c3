"""Broken worker: its checkpoints skip the comparison, so the last writer wins.

Run as `python -m tests.faults.broken_no_cas worker`. The fault tests must notice.
"""

from stream.store.scripts import STORE_CHECKPOINT, Script
from stream.store.shards import Store

#: Answers of a checkpoint that differs from the stored state.
REFUSALS = ("'LOST'", "'FENCED'", "'CONFLICT'")


def script() -> Script:
    """Return the script of a checkpoint without its three comparisons."""
    lines = STORE_CHECKPOINT.source.splitlines()
    kept = [line for line in lines if not any(word in line for word in REFUSALS)]
    assert len(lines) - len(kept) == len(REFUSALS)
    return Script("\n".join(kept))


def main() -> None:
    """Run the command line of the broken worker."""
    from agents.cli.main import main as engage

    Store.checkpoint_script = script()
    engage()


if __name__ == "__main__":
    main()
