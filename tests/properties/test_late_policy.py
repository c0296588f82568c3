"""time.late_policy decides about a late event: correction, dead letter, or only a count."""

import msgspec
import pytest

from stream.settings.application import Settings, TimeSettings
from tests.properties.checking import wrong_numbers
from tests.properties.engine import run
from tests.properties.test_engine_and_time import log_of

#: One hour behind the newest, within the 24 h of correction; then two days behind.
LOG = [{"minute": 0}, {"minute": 60}, {"minute": 0, "visitor_id": "late"}, {"minute": 2 * 1440}]
LOG += [{"minute": 90, "visitor_id": "later"}]


@pytest.mark.parametrize(
    ("policy", "applied", "late", "kept"),
    [("update", 4, 1, 1), ("ledger", 3, 2, 2), ("drop", 3, 2, 0)],
)
def test_the_policy_decides_whether_a_late_event_counts_and_is_kept(
    policy: str, applied: int, late: int, kept: int
) -> None:
    settings = Settings(time=msgspec.convert({"late_policy": policy}, TimeSettings))
    log = log_of(LOG)
    [worker] = workers = run([{"t": log}], settings)
    outcomes = worker.outcomes()
    assert (outcomes["applied"], outcomes["late"]) == (applied, late)
    assert len(worker.store.dead_letters) == kept
    # Every record is accounted for under each policy.
    assert outcomes["applied"] + outcomes["late"] == len(log)
    assert wrong_numbers(workers, [{"t": log}], settings) == []
