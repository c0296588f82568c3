"""How long rules look back and wait: in earnest, or faster for a rehearsal."""

from dataclasses import dataclass

_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3_600))
MINUTE, HOUR, DAY, WEEK = 60.0, 3_600.0, 86_400.0, 604_800.0


@dataclass(frozen=True, slots=True)
class Pace:
    """All durations are divided by `speed`: with 60, an hour passes in a minute.

    It fits a replay at the same speed, and a demonstration that nobody watches for a week. Only what
    visitors and customers do can be made faster so; the alerts about the pipeline keep their time.
    """

    speed: float = 1.0

    def seconds(self, seconds: float) -> int:
        """The same in whole seconds; never below one."""
        return max(round(seconds / self.speed), 1)

    def of(self, seconds: float) -> str:
        """A duration as Prometheus writes it, such as 167h30m; never below a second."""
        rest = self.seconds(seconds)
        for unit, size in _UNITS:
            if rest % size == 0:
                return f"{rest // size}{unit}"
        # Nothing above hours: 167h30m is an hour around a week ago, 6d23h30m would hide that.
        hours, rest = divmod(rest, 3_600)
        minutes, rest = divmod(rest, 60)
        parts = ((hours, "h"), (minutes, "m"), (rest, "s"))
        return "".join(f"{number}{unit}" for number, unit in parts if number)


EARNEST = Pace()
