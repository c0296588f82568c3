"""Draws small charts side by side, as one SVG."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 250, 190, 40, 34, 30
_STYLE = (
    "text{font:11px sans-serif;fill:#333}.name{font-weight:bold}.axis{stroke:#999}"
    "polyline{fill:none;stroke:#2a6fb0;stroke-width:2}circle{fill:#2a6fb0}"
)


class Panel(NamedTuple):
    """One chart: its name, the unit of its values, and (size, value) in order. The values begin at 0."""

    name: str
    unit: str
    values: Sequence[tuple[str, float]]


def drawn(panels: Sequence[Panel]) -> str:
    """Return the charts as SVG, on a white ground that dark pages need."""
    width = WIDTH * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" role="img">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({number * WIDTH})">{_panel(panel)}</g>')
    return "\n".join((*parts, "</svg>\n"))


def _panel(panel: Panel) -> str:
    base, right = HEIGHT - BOTTOM, WIDTH - 16
    most = max((value for _, value in panel.values), default=0) * 1.15 or 1
    step = (right - LEFT) / max(len(panel.values), 1)
    points = [
        (LEFT + (place + 0.5) * step, base - value / most * (base - TOP))
        for place, (_, value) in enumerate(panel.values)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts = [
        f'<text class="name" x="{LEFT}" y="16">{escape(panel.name)}, {escape(panel.unit)}</text>',
        f'<path class="axis" d="M{LEFT} {TOP}V{base}H{right}" fill="none"/>',
        f'<polyline points="{line}"/>',
    ]
    for (x, y), (size, value) in zip(points, panel.values, strict=True):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        parts.append(f'<text x="{x:.1f}" y="{y - 7:.1f}" text-anchor="middle">{value:.3g}</text>')
        parts.append(
            f'<text x="{x:.1f}" y="{base + 16}" text-anchor="middle">{escape(size)}</text>'
        )
    return "".join(parts)
