"""Compiles the hot part of the engine with mypyc where that is possible; the rest is in pyproject.toml.

Wheels get the compiled core (half the CPU per event), editable installs the plain sources, so that what is
edited is what runs. ENGAGE_COMPILE=1 insists on compiling, ENGAGE_COMPILE=0 forbids it.
ENGAGE_COMPILE_LEVEL is how far the C compiler optimizes, 0 to 3: tests build with 0 in half the time.
"""

import os
import sys
import sysconfig
from pathlib import Path
from shutil import which

from setuptools import Extension, setup

#: Folders of stream/ whose modules run once an event, without their subfolders: none does any I/O.
CORE = ("counters", "people", "sessions", "history", "engine", "publish")

#: Modules of schemas/ that run once a record.
EDGE = ("codec", "dead_letter", "rejection")


def missing() -> str:
    """Why the core cannot be compiled here; empty when it can."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if not (which(compiler) or which("cc")):
        return f"there is no C compiler ({compiler})"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return "Python's headers are not installed"
    try:
        import mypyc.build  # noqa: F401
    except ImportError:
        return "mypy is not installed"
    return ""


def compiled() -> list[Extension]:
    """The core as extension modules, or none."""
    asked = os.environ.get("ENGAGE_COMPILE", "")
    if asked not in ("", "0", "1"):
        sys.exit(f"ENGAGE_COMPILE is {asked!r}; it must be 0 or 1")
    if asked == "0" or (not asked and "editable_wheel" in sys.argv):
        return []
    if reason := missing():
        if asked:
            sys.exit(f"ENGAGE_COMPILE=1, but {reason}")
        print(f"the core is not compiled: {reason}", file=sys.stderr)
        return []
    level = os.environ.get("ENGAGE_COMPILE_LEVEL", "3")
    if level not in ("0", "1", "2", "3"):
        sys.exit(f"ENGAGE_COMPILE_LEVEL is {level!r}; it must be 0, 1, 2 or 3")
    from mypyc.build import mypycify

    paths = [f"schemas/{module}.py" for module in EDGE]
    paths += [str(path) for folder in CORE for path in sorted(Path("stream", folder).glob("*.py"))]
    # Only the types of the core matter here; `make check` looks at all of them.
    return mypycify(
        ["--ignore-missing-imports", "--follow-imports=silent", *paths], opt_level=level
    )


setup(ext_modules=compiled())
