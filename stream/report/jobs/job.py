"""The process of a job: answers the requests of its report until that closes the socket."""

import socket
from array import array
from collections.abc import Sequence
from io import FileIO
from typing import Any

import msgspec

from stream.configure.compile import build_rules
from stream.counters.measures import Grain
from stream.engine.stored.shard import StoredShard
from stream.people.id_changes import IdOwners
from stream.report.bounded import BadLine
from stream.report.collector import tune_collector
from stream.report.duplicates import later_ones
from stream.report.file_report import Report
from stream.report.jobs.messages import (
    AllReturned,
    Begin,
    Channel,
    Compare,
    Compared,
    Count,
    Counted,
    Failed,
    Finish,
    Finished,
    JobEndedError,
    Message,
    Owners,
    Progress,
    Request,
    Return,
    Setup,
    SiteReturned,
    Survey,
    Surveyed,
    decode_request,
)
from stream.report.jobs.person_keys import PersonKeys
from stream.report.jobs.share import Share
from stream.report.jobs.stored_settings import decode_settings
from stream.report.jobs.survey import PartSurvey
from stream.report.periods import DayRange
from stream.report.spill import Place, Spill, SpillError


def run(end: int, number: int, files: Sequence[int]) -> None:
    """Answer requests on the socket `end`. `files` are the files of all jobs, that of this one at `number`."""
    tune_collector()
    channel = Channel(socket.socket(fileno=end))
    job: Job | None = None
    try:
        while True:
            request = decode_request(channel.receive())
            if isinstance(request, Begin):
                spills = [Spill(FileIO(file, "r+b")) for file in files]
                job = Job(request, channel, spills, number)
                continue
            assert job is not None
            try:
                answer = job.answer(request)
            except SpillError as error:
                answer = Failed(str(error))
            if answer is not None:
                channel.send(answer)
    except JobEndedError:
        return


class Job:
    """Answers the requests of one report."""

    def __init__(
        self, begin: Begin, channel: Channel, spills: Sequence[Spill], number: int
    ) -> None:
        self._begin, self._channel, self._spills = begin, channel, spills
        self._own = spills[number]
        self._settings = decode_settings(begin.settings)
        self._setup: Setup | None = None
        self._share: Share | None = None
        self._read = self._counted = 0

    def answer(self, request: Request) -> Message | None:
        """Return the answer to a request; None if it needs none. Raises SpillError."""
        if isinstance(request, Survey):
            return self._survey(request)
        if isinstance(request, Compare):
            return self._compare(request)
        if isinstance(request, Setup):
            self._setup = request
            return None
        if isinstance(request, Count):
            return self._count(request)
        if isinstance(request, Finish):
            return self._finish()
        assert isinstance(request, Return)
        return self._return(request)

    def _survey(self, request: Survey) -> Surveyed:
        keys = PersonKeys(build_rules(self._settings))
        survey = PartSurvey(
            self._settings, self._begin.now_ms, self._own, keys, self._begin.chunk_bytes,
            self._show_read,
        )  # fmt: skip
        for part in request.parts:
            survey.read(part)
        return survey.result()

    def _compare(self, request: Compare) -> Compared:
        found = array("q")
        for part in request.ids:
            entries = b"".join(
                spill.read(Place(*place))
                for spill, places in zip(self._spills, part, strict=True)
                for place in places
            )
            found.extend(later_ones(entries))
        return Compared(found.tobytes())

    def _count(self, request: Count) -> Counted:
        assert self._setup is not None
        if self._share is None or request.is_restart:
            self._share = None  # Its people leave the memory before others come.
            days = None if self._begin.days is None else DayRange(*self._begin.days)
            report = Report(
                self._settings, self._begin.now_ms, _ignore, days, is_bounded=True,
                kinds=self._begin.kinds,
            )  # fmt: skip
            self._share = Share(
                report, self._settings, self._setup, request, self._spills, self._show_counted
            )
        return self._share.count(request)

    def _finish(self) -> Finished:
        assert self._share is not None
        report, names = self._share.report, self._share.names
        report.close()
        shard = report.shard
        names.stored.update(shard.registry.take_changes())
        stored = StoredShard(
            {name: topic.stored() for name, topic in shard.topics.items()},
            shard.watermark, 0, 0, 0, 0, 0,
        )  # fmt: skip
        buckets = [
            (int(grain), index, counts)
            for grain in Grain
            for index, counts in shard.counters.tables[grain].items()
        ]
        changes = report.id_changes
        return Finished(
            msgspec.msgpack.encode(stored), list(names.stored.items()), buckets,
            _owners(changes.sessions), _owners(changes.carts),
        )  # fmt: skip

    def _return(self, request: Return) -> AllReturned:
        assert self._share is not None
        found = self._share.report.returned(request.cohort, request.kinds)
        return AllReturned(
            [
                SiteReturned(
                    site, kind, one.first, one.last,
                    [(first, later, people) for (first, later), people in one.people.items()],
                )
                for (site, kind), one in found.items()
            ]
        )  # fmt: skip

    def _show_read(self, lines: int) -> None:
        self._read = lines
        self._channel.send(Progress(self._read, 0))

    def _show_counted(self, events: int) -> None:
        self._channel.send(Progress(self._read, events))


def _ignore(_line: BadLine) -> None:
    """Ignore a bad line: the survey has told of it."""


def _owners(owners: IdOwners) -> Owners:
    return Owners(owners.changes, owners.known())


def main(arguments: Sequence[Any]) -> None:
    """Run with the descriptors and the number that the report gives."""
    end, number, *files = map(int, arguments)
    run(end, number, files)
