"""Hours of an afternoon and of the same one a week before, as exported, in a real Prometheus."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.grafana.history import write_history
from tests.grafana.prometheus import StoredPrometheus, by_depth
from tests.grafana.traffic import MINUTE_MS, NOW_MS, WEEK_MS, Spans, log

HOURS = 2
HOUR_MS = 60 * MINUTE_MS
#: A week ago there is a page at every second step: Prometheus looks back for five minutes.
STEP_MS = 4 * MINUTE_MS
#: The shown hours, and one hour before them for the baselines of the rules.
_LENGTH_MS = (HOURS + 1) * HOUR_MS
SPANS: Spans = (
    (NOW_MS - WEEK_MS - _LENGTH_MS, NOW_MS - WEEK_MS + HOUR_MS // 2),
    (NOW_MS - _LENGTH_MS, NOW_MS),
)
#: Events a second.
RATE = 2.0
#: For five minutes from here, most sessions bounce.
SPIKE_AT_MS = NOW_MS - HOUR_MS


@contextmanager
def afternoon() -> Iterator[StoredPrometheus]:
    """Yield a Prometheus with these hours and the results of the recording rules."""
    server = StoredPrometheus()
    try:
        file = server.directory / "samples.txt"
        write_history(file, log(SPANS, RATE, SPIKE_AT_MS), SPANS, STEP_MS)
        server.add_samples(file)
        for rules in by_depth():
            with file.open("w", encoding="utf-8") as samples:
                server.start()
                samples.writelines(_recorded(server, rules))
                samples.write("# EOF\n")
            server.stop()
            server.add_samples(file)
        yield server.start()
    finally:
        server.close()


def _recorded(server: StoredPrometheus, rules: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the samples of recording rules. promtool would make a block for each rule and each two hours."""
    for rule in rules:
        for first, last in SPANS:
            times = {"start": first // 1000, "end": last // 1000, "step": STEP_MS // 1000}
            answer = server.query(rule["expr"], **{name: str(time) for name, time in times.items()})
            for series in answer:
                labels = series["metric"] | rule.get("labels", {})
                labels.pop("__name__", None)
                labels_text = ",".join(
                    f'{name}="{_escaped(text)}"' for name, text in labels.items()
                )
                for time, value in series["values"]:
                    yield f"{rule['record']}{{{labels_text}}} {value} {time}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
