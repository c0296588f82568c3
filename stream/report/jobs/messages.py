"""Messages between a report and its jobs, as msgpack over a socket."""

import socket
from typing import TypeAlias

import msgspec

from schemas.outputs import WindowKind
from stream.report.cohorts import Cohort

#: Start and length of bytes in a job's file.
Places: TypeAlias = list[tuple[int, int]]
#: Sort key of events.
Order: TypeAlias = tuple[int, int, int, int, str]
_HEAD_BYTES = 8


class JobEndedError(Exception):
    """The other process has closed the socket."""


class Message(msgspec.Struct, array_like=True, tag=True):
    """A request or an answer."""


class Part(Message):
    """Part of an input: the lines that begin at the bytes `start` to `end` - 1, or all of it."""

    #: Number of the part over all inputs, and number of its input.
    number: int
    input: int
    name: str
    start: int = 0
    #: None: the whole input.
    end: int | None = None


class Begin(Message):
    """Begin a report."""

    settings: bytes
    now_ms: int
    days: tuple[int | None, int | None] | None
    kinds: list[WindowKind] | None
    chunk_bytes: int


class Survey(Message):
    """Read parts of the inputs, and move their events to the job's file."""

    parts: list[Part]


class PartSurveyed(Message):
    """Lines of a part, whether their times rise or fall, and the first and last time."""

    number: int
    lines: int
    rises: bool
    falls: bool
    first: list[int]
    last: list[int]
    #: Message of an input that ended early.
    damage: str = ""


class BadItem(Message):
    """An item that is not counted, by its number."""

    #: Time of those that are found while counting, else 0.
    time_ms: int
    number: int
    reason: str
    detail: str


class Surveyed(Message):
    """Result of a survey: places in the file of the job, and sums."""

    parts: list[PartSurveyed]
    runs: list[Places]
    #: Places of the ids, by their first byte.
    ids: list[Places]
    #: Site → day → events.
    days: dict[str, dict[int, int]]
    #: Keys of two ids of one person.
    links: list[tuple[bytes, bytes]]
    #: Some of the times.
    times: list[int]
    rejected: dict[str, int]
    bad: list[BadItem]


class Compare(Message):
    """Find duplicates among ids: for each first byte the places in the file of each job."""

    ids: list[list[Places]]


class Compared(Message):
    """Numbers of the duplicates, as native 64-bit integers."""

    numbers: bytes


class Setup(Message):
    """Knowledge of all inputs that every job needs to count."""

    #: Runs in the file of each job.
    runs: list[list[Places]]
    #: Lines of each part, and numbers of duplicates as in Compared.
    lines: list[int]
    duplicates: bytes
    #: Site → time from which on its clocks are wrong.
    wrong_from_ms: dict[str, int]
    #: For each input the number before its first item, and whether its times rise and fall.
    before: list[int]
    orders: list[tuple[bool, bool]]


class Count(Message):
    """Count the people of a share from the first event on, or go on, up to a time."""

    share: int
    shares: int
    #: Key → share, where that differs from the usual one.
    moved: dict[bytes, int]
    #: (site, dimension, value) that are known.
    known: list[tuple[str, str, str]]
    is_restart: bool
    #: None: to the end.
    to_ms: int | None


class Name(Message):
    """A value of a dimension that became known, and the event that made it known."""

    site: str
    dimension: str
    value: str
    order: Order
    #: False: the event is one of several before `order`.
    is_exact: bool


class Counted(Message):
    """Names and rejections of a share since the first event."""

    names: list[Name]
    #: Combinations of values, as stored.
    segment_sets: list[bytes]
    rejected: dict[str, int]
    bad: list[BadItem]


class Finish(Message):
    """Close all sessions, and return the counts."""


class Owners(Message):
    """Changes of ids between people, and the last ids with their people."""

    changes: int
    known: dict[str, str]


class Finished(Message):
    """A shard as checkpoints store it."""

    state: bytes
    names: list[tuple[int, bytes]]
    buckets: list[tuple[int, int, dict[int, int]]]
    sessions: Owners
    carts: Owners


class Return(Message):
    """Count the people who return."""

    cohort: Cohort
    kinds: list[WindowKind]


class SiteReturned(Message):
    """People of a site by cohort and later period."""

    site: str
    kind: WindowKind
    first: int
    last: int
    people: list[tuple[int, int, int]]


class AllReturned(Message):
    """People of a job's share who return."""

    sites: list[SiteReturned]


class Progress(Message):
    """Lines read, or events counted, so far."""

    read: int
    counted: int


class Failed(Message):
    """The job cannot go on: its file cannot be written."""

    text: str


Request: TypeAlias = Begin | Survey | Compare | Setup | Count | Finish | Return
Answer: TypeAlias = Surveyed | Compared | Counted | Finished | AllReturned | Progress | Failed
encode = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(Request).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode


class Channel:
    """One end of a socket between a report and a job."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end

    def send(self, message: Message) -> None:
        """Send a message. Raises JobEndedError."""
        data = encode(message)
        try:
            self.socket.sendall(len(data).to_bytes(_HEAD_BYTES, "little"))
            self.socket.sendall(data)
        except OSError as error:
            raise JobEndedError from error

    def receive(self) -> bytes:
        """Wait for a message. Raises JobEndedError."""
        return self._bytes(int.from_bytes(self._bytes(_HEAD_BYTES), "little"))

    def _bytes(self, size: int) -> bytes:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            try:
                count = self.socket.recv_into(view)
            except OSError as error:
                raise JobEndedError from error
            if not count:
                raise JobEndedError
            view = view[count:]
        return bytes(data)
