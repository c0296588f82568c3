"""The files of the live page: its own, and the chart library of the installed package plotly."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

OWN = Path(__file__).parent / "page"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
CHARTS = "plotly.js"
#: Scripts and styles only from this server, no content from elsewhere, no frame around the page.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
# At load, the library adds styles for its maps unless an element has their id. The page has no maps,
# and the policy above would refuse these styles with an error in the console.
_STYLE_ID = re.compile(rb'getElementById\("([0-9a-f]{64})"\)')


def asset(name: str) -> Path | None:
    """Return the file of an asset; None for any other name, so that no name reaches another file."""
    return _assets().get(name)


@cache
def page() -> str:
    """Return the page, with elements that keep the chart library from adding its styles."""
    charts = _assets().get(CHARTS)
    ids = dict.fromkeys(_STYLE_ID.findall(charts.read_bytes())) if charts else {}
    held = "".join(f'<i hidden id="{found.decode()}"></i>' for found in ids)
    return (OWN / "live.html").read_text("utf-8").replace("<!-- held -->", held)


@cache
def _assets() -> dict[str, Path]:
    files = {file.name: file for file in OWN.iterdir() if file.suffix in TYPES}
    # Found without an import, which would take a second.
    spec = find_spec("plotly")
    for place in (spec.submodule_search_locations if spec else None) or ():
        library = Path(place) / "package_data" / "plotly.min.js"
        if library.is_file():
            files[CHARTS] = library
    return files
