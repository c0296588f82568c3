"""Durations of rules: as they are, or divided for a rehearsal."""

from dataclasses import dataclass

_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3_600))
MINUTE, HOUR, DAY, WEEK = 60.0, 3_600.0, 86_400.0, 604_800.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Divides all durations by `speed`: with 60, an hour passes in a minute.

    Use it for a replay at the same speed, or a demonstration. It fits alerts about the product only:
    the pipeline starts and recovers no faster.
    """

    speed: float = 1.0

    def seconds(self, seconds: float) -> int:
        """Divide a duration; whole seconds, at least one."""
        return max(round(seconds / self.speed), 1)

    def of(self, seconds: float) -> str:
        """Divide a duration and write it as Prometheus does, such as 167h30m."""
        rest = self.seconds(seconds)
        for unit, size in _UNITS:
            if rest % size == 0:
                return f"{rest // size}{unit}"
        # Hours are the largest unit: 167h30m shows an hour around a week ago, 6d23h30m hides it.
        hours, rest = divmod(rest, 3_600)
        minutes, rest = divmod(rest, 60)
        parts = ((hours, "h"), (minutes, "m"), (rest, "s"))
        return "".join(f"{number}{unit}" for number, unit in parts if number)


EARNEST = Pace()
