"""A past for Prometheus: samples of two weeks of a rehearsal, stored before it starts."""

import random
from collections.abc import Iterator

from agents.monitoring.rules.pace import DAY, HOUR, MINUTE, WEEK, Pace
from tests.alerting.promtool import run, tool
from tests.alerting.servers import PrometheusServer


def store(prometheus: PrometheusServer, samples: Iterator[str]) -> None:
    """Store the samples as blocks of a Prometheus that does not run yet."""
    file = prometheus.directory / "prepared.txt"
    with file.open("w", encoding="utf-8") as text:
        text.writelines(samples)
        text.write("# EOF\n")
    made = prometheus.data
    made.mkdir(exist_ok=True)
    done = run(tool("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(file), str(made))
    assert done.returncode == 0, done.stdout[-3000:]
    assert any(made.iterdir()), "no block was made"


def shares(series: str, usual: float, bad: float, now: float, speed: float) -> Iterator[str]:
    """Yield a share of the last ten days, which varies by some hundredths.

    It has what must not blind an alert: a first sample of 0 and one of 1, and for six hours from
    this time a week ago the `bad` share.
    """
    pace, drawn = Pace(speed), random.Random(1)
    times = range(int(now) - pace.seconds(10 * DAY), int(now), pace.seconds(5 * MINUTE))
    outliers = dict(zip(times, (0.0, 1.0), strict=False))
    bad_from = now - pace.seconds(WEEK + HOUR)
    bad_to = bad_from + pace.seconds(7 * HOUR)
    for time in times:
        share = bad if bad_from <= time < bad_to else usual + drawn.uniform(-0.03, 0.03)
        yield f"{series} {outliers.get(time, share):.4f} {time}\n"
