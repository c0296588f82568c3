"""The commands and the Faust worker: everything that a person or a supervisor starts.

`cli` declares the command `engage`, `commands` does its work, and `app` wires the worker. Nothing in
`stream` or `schemas` imports from here.
"""


def refuse_shadows() -> None:
    """Exit with 1 and a message if Python finds another distribution's package instead of ours.

    Other distributions have packages named `agents` or `stream` too. In one environment, the one
    installed last overwrites `__init__`, or Python finds the other directory. The command calls this
    before it imports more, which would fail with a confusing error.
    """
    # Here, so that importing this package costs nothing: a command first prepares for signals.
    import sys
    from importlib import metadata
    from importlib.util import find_spec
    from pathlib import Path

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
