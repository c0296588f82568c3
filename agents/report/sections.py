"""Joins the themes of the catalogue to the few sections that an overview has room for."""

from collections.abc import Iterator, Sequence

from stream.metrics.catalogue import by_theme
from stream.metrics.metric import Metric
from stream.settings.application import Settings

#: Section → titles of its themes.
SECTIONS = {
    "Audience": ("Audience", "Newcomers", "Active people", "Interaction"),
    "Loyalty": ("Lifecycle", "Retention"),
    "Sessions": ("Behaviour",),
    "Content": ("Click-through", "Pages", "Features"),
    "Goals": ("Goals", "Funnels", "Experiments"),
    "Orders": ("Carts", "Orders and revenue", "Value"),
    "Customers": ("Customers",),
    "Feedback": ("Satisfaction",),
    "Support": ("Support",),
    "Social": ("Social",),
}
_SECTION_OF = {theme: section for section, themes in SECTIONS.items() for theme in themes}


def sections(settings: Settings) -> Iterator[tuple[str, Sequence[Metric]]]:
    """Yield (title, metrics) of each section; own metrics come last, under their own title."""
    found: dict[str, list[Metric]] = {title: [] for title in SECTIONS}
    for theme, metrics in by_theme(settings):
        found.setdefault(_SECTION_OF.get(theme, theme), []).extend(metrics)
    yield from found.items()
