"""Funnels for the property tests of goals, one for each way of following people."""

from stream.settings.definitions import Funnel, Selection

STEPS = tuple(
    Selection(type="custom", where={"name": names}) for names in (("a", "ab"), ("b", "ab"), "c")
)
FITS = tuple(
    lambda event, names=names: event["type"] == "custom" and event["name"] in names
    for names in (("a", "ab"), ("b", "ab"), ("c",))
)
EXCLUSIONS = (
    Selection(type="custom", where={"name": "d"}),
    Selection(type="feature_used", where={"feature": "export"}),
)
WINDOW_DAYS = 2
FUNNELS = {
    "ordered": Funnel(steps=STEPS, window_days=WINDOW_DAYS),
    "strict": Funnel(steps=STEPS, window_days=WINDOW_DAYS, order="strict"),
    "unordered": Funnel(steps=STEPS, window_days=WINDOW_DAYS, order="unordered"),
    "session": Funnel(steps=STEPS, window_days=WINDOW_DAYS, scope="session"),
    "excluding": Funnel(steps=STEPS, window_days=WINDOW_DAYS, exclusions=EXCLUSIONS),
    "first": Funnel(steps=STEPS, window_days=WINDOW_DAYS, entry="first"),
    "first in session": Funnel(
        steps=STEPS, window_days=WINDOW_DAYS, scope="session", entry="first", exclusions=EXCLUSIONS
    ),
    "unordered first": Funnel(
        steps=STEPS,
        window_days=WINDOW_DAYS,
        order="unordered",
        entry="first",
        exclusions=EXCLUSIONS,
    ),
}
