"""The files of the live page: its own, and the chart library of the package plotly as it is installed."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

OWN = Path(__file__).parent / "page"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
CHARTS = "plotly.js"
#: No script and no style but those of this server, nothing from elsewhere, in nobody's frame.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
# At load, the library adds styles for its maps unless an element has their id. There are no maps
# here, and the policy above would refuse them, loudly.
_STYLE_ID = re.compile(rb'getElementById\("([0-9a-f]{64})"\)')


def asset(name: str) -> Path | None:
    """The file of an asset; None for what is none, so that a name can lead nowhere else."""
    return _assets().get(name)


@cache
def page() -> str:
    """The page itself, with elements in place of the styles that the chart library would add."""
    charts = _assets().get(CHARTS)
    ids = dict.fromkeys(_STYLE_ID.findall(charts.read_bytes())) if charts else {}
    held = "".join(f'<i hidden id="{found.decode()}"></i>' for found in ids)
    return (OWN / "live.html").read_text("utf-8").replace("<!-- held -->", held)


@cache
def _assets() -> dict[str, Path]:
    files = {file.name: file for file in OWN.iterdir() if file.suffix in TYPES}
    # Not imported: it would take a second, and only its file is needed.
    spec = find_spec("plotly")
    for place in (spec.submodule_search_locations if spec else None) or ():
        library = Path(place) / "package_data" / "plotly.min.js"
        if library.is_file():
            files[CHARTS] = library
    return files
