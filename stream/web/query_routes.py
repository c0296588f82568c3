"""The address /api/query: numbers of any period, from the counts in Redis, as JSON or CSV."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any

import msgspec
from aiohttp import web

from stream.counters.calendar import HOUR_MS, Calendar
from stream.counters.measures import Grain
from stream.counters.table import BucketKey
from stream.publish.csv_table import write_csv
from stream.publish.merged_counts import MergedCounts, Rows
from stream.publish.query import Plan, QueryRefusedError, Stored, answer
from stream.publish.query_plan import plan
from stream.publish.snapshot import Snapshot
from stream.settings.application import Settings
from stream.store.stored_counts import MovingError, StoredCounts
from stream.web.live_assets import HEADERS
from stream.web.query_request import FORMATS, NothingYetError, QueryReader
from stream.worker.errors import UNREACHABLE

_log = logging.getLogger(__name__)
#: Queries that are answered at a time, and those that may wait for their turn.
AT_ONCE, WAITING_MAX = 2, 16
SECONDS_MAX = 15.0
_encode = msgspec.json.encode
_HEADERS = {**HEADERS, "Cache-Control": "no-store"}
_HOURS = 24


class QueryPage:
    """Answers queries beside the counting: it reads in parts, and computes in a thread."""

    def __init__(
        self,
        settings: Settings,
        reader: QueryReader,
        counts: StoredCounts,
        snapshot: Callable[[], Snapshot | None],
        calendar_of: Callable[[str], Calendar],
        definition: str,
        counted: Mapping[str, tuple[Grain, ...]],
    ) -> None:
        """`counted`: measure → grains in which shards count it."""
        self._settings = settings
        self._reader = reader
        self._counts = counts
        self._snapshot = snapshot
        self._calendar_of = calendar_of
        self._definition = definition
        self._counted = counted
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._asked = 0

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the address to a server."""
        router.add_get("/api/query", self._query)

    async def _query(self, request: web.Request) -> web.Response:
        if self._asked >= AT_ONCE + WAITING_MAX:
            return _later(f"{self._asked} queries are being answered; try again later")
        self._asked += 1
        try:
            async with asyncio.timeout(SECONDS_MAX), self._turns:
                return await self._answer(request)
        except QueryRefusedError as error:
            return _json({"error": str(error), "possible": error.possible}, 422)
        except (MovingError, NothingYetError) as error:
            return _later(str(error))
        except UNREACHABLE as error:
            _log.warning("a query was not answered; check Redis: %s", error)
            return _later(f"no answer within {SECONDS_MAX:g} s, or Redis does not answer")
        finally:
            self._asked -= 1

    async def _answer(self, request: web.Request) -> web.Response:
        snapshot = self._snapshot()
        if snapshot is None:
            raise NothingYetError("there are no numbers yet")
        as_csv = _is_csv(request)
        stored = self._stored(snapshot)
        query = self._reader.query(request.query, snapshot, stored.reached_ms)
        planned = await asyncio.to_thread(plan, query, self._calendar_of(query.site), stored)
        rows = await self._counts.read(planned.columns, planned.buckets, planned.levels_until)
        body = await asyncio.to_thread(self._body, planned, rows, stored, as_csv=as_csv)
        content = "text/csv" if as_csv else "application/json"
        return web.Response(body=body, content_type=content, charset="utf-8", headers=_HEADERS)

    def _stored(self, snapshot: Snapshot) -> Stored:
        time = self._settings.time
        newest_day = self._calendar_of("").day_of(snapshot.newest_ms)
        return Stored(
            snapshot.newest_ms,
            snapshot.watermark_ms,
            snapshot.revision,
            newest_day - time.day_retention_days,
            snapshot.newest_ms - time.hour_retention_days * _HOURS * HOUR_MS,
            self._counted,
        )

    def _body(
        self, planned: Plan, rows: Mapping[BucketKey, Rows], stored: Stored, *, as_csv: bool
    ) -> bytes:
        merged = MergedCounts(self._calendar_of, self._definition)
        merged.reach(stored.newest_ms)
        for bucket, counts in rows.items():
            merged.put(bucket, counts)
        records = answer(planned, merged, stored)
        if as_csv:
            out = StringIO()
            write_csv(out, records)
            return out.getvalue().encode()
        query = planned.query
        calendar = self._calendar_of(query.site)
        return _encode(
            {
                "site": query.site,
                "timezone": calendar.timezone,
                "step": query.step,
                "from": calendar.rfc3339(query.from_ms),
                "to": calendar.rfc3339(query.to_ms),
                "notes": planned.notes,
                "records": records,
            }
        )


def _is_csv(request: web.Request) -> bool:
    """Whether CSV is asked for, by the parameter or else by the header Accept."""
    given = request.query.get("format")
    if given is None:
        return "text/csv" in request.headers.get("Accept", "")
    if given not in FORMATS:
        raise QueryRefusedError(f"unknown format '{given[:80]}'", {"format": FORMATS})
    return given == "csv"


def _later(text: str) -> web.Response:
    response = _json({"error": text}, 503)
    response.headers["Retry-After"] = "1"
    return response


def _json(body: dict[str, Any], status: int) -> web.Response:
    return web.Response(
        body=_encode(body), status=status, content_type="application/json", headers=_HEADERS
    )
