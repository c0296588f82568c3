"""The panels of the history dashboard get the numbers of a report."""

import json
import re
from datetime import datetime

import pytest

from tests.queries import infinity
from tests.queries.infinity import interpolated, panels, source, table
from tests.queries.test_answers import DAY_MS, END_MS, Counted, counted

__all__ = ["counted"]
#: Not at a midnight: a dashboard ends now.
FROM_MS, TO_MS = END_MS - 20 * DAY_MS + 1234, END_MS


@pytest.mark.parametrize(("title", "metric", "kind", "dimension"), [
    ("Bounce rate by day", "bounce_rate", "day", ""),
    ("Daily active users by country", "daily_active_users", "day", "country"),
    ("Unique visitors by week", "unique_visitors", "week", ""),
    ("Monthly active users", "monthly_active_users", "trailing_28d", ""),
])  # fmt: skip
async def test_panels_show_what_a_report_says(
    counted: Counted, title: str, metric: str, kind: str, dimension: str
) -> None:
    async def get(address: str) -> str:
        answer = await counted.client.get(address)
        assert answer.status == 200, await answer.text()
        return await answer.text()

    rows = await table(panels()[title], get, FROM_MS, TO_MS, site="")
    wanted = {
        (datetime.fromisoformat(str(r.window.start)), r.dimensions.get("country", "")): r.value
        for r in counted.reported([kind])  # type: ignore[list-item]
        if r.metric == metric and (r.dimensions.keys() == {dimension} - {""})
    }
    found = {(row["time"], row.get(dimension, "")): row["value"] for row in rows}
    assert len(found) == len(rows) > 3
    assert found == {key: wanted[key] for key in found}


def test_every_panel_asks_for_the_range_of_the_dashboard() -> None:
    for panel in panels().values():
        (target,) = panel["targets"]
        given = {one["key"]: one["value"] for one in target["url_options"]["params"]}
        assert given["from"] == "${__timeFrom:date:iso}"
        assert given["to"] == "${__timeTo:date:iso}"
        assert target["datasource"] == panel["datasource"]
        assert target["datasource"] == {"type": source()["type"], "uid": source()["uid"]}
    assert source()["url"] in source()["jsonData"]["allowedHosts"]


def test_macros_are_those_of_the_plugin() -> None:
    """The times are those of the plugin's documentation of its macros."""
    from_ms, to_ms = 1_594_671_549_254, 1_500_549_352_001
    shown = interpolated("${__timeFrom} ${__timeFrom:date:seconds}", from_ms, to_ms, {})
    assert shown == "1594671549254 1594671549"
    text = "from ${__timeFrom:date:iso} to ${__timeTo:date}"
    wanted = "from 2020-07-13T20:19:09.254Z to 2017-07-20T11:15:52.001Z"
    assert interpolated(text, from_ms, to_ms, {}) == wanted
    dashboard = (infinity.FOLDER / "engagement-history.json").read_text("utf-8")
    used = set(re.findall(r"\$\{(\w+)", dashboard)) - {"__field"}
    known = {one["name"] for one in json.loads(dashboard)["templating"]["list"]}
    assert used == {"__timeFrom", "__timeTo"} | known
