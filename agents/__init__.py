"""The commands and the Faust worker: what a person or a supervisor starts.

`cli` is the command `engage`, and each command has its file (`demo`, `worker`, `report`, `replay`,
`tail`, `check`, `topics`, `catalogue`). `app` is the one place that wires the worker: the agents
(one file a topic: `page_views`, `clicks`, `sessions`, `subscriptions`, `orders`, `feedback`,
`social`), the owner of the shards from `stream`, the `publisher`, and the pages. Nothing in
`stream` or `schemas` imports from here.
"""

import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path


def refuse_shadows() -> None:
    """Exit with 1 and a message when another distribution's package stands in the place of ours.

    Names as short as `agents` and `stream` are used by others. Of two in one environment, either
    the files are mixed and the one installed last has written `__init__`, or Python finds the other
    one. Called by the command before it imports more, which would fail without saying why.
    """
    home = Path(__file__).resolve().parent.parent
    for name in ("agents", "stream", "schemas"):
        spec = find_spec(name)
        file = Path(spec.origin).resolve() if spec and spec.origin else None
        if file and file.parent == home / name and b"engagement" in file.read_bytes():
            continue
        others = {*metadata.packages_distributions().get(name, ())} - {"engagement-stream"}
        owner = f" (of {', '.join(sorted(others))})" if others else ""
        sys.exit(
            f"engage: the package `{name}` that Python finds, {file or 'a bare directory'}{owner}, "
            f"is not engagement-stream's in {home}. Install engagement-stream in an environment of "
            f"its own, and let no other `{name}` stand in PYTHONPATH or where you are"
        )
