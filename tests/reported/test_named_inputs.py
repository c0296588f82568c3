"""The right value of inputs that hold the joint character of keys."""

from tests.reported.cases import case, report


@case("joint_in_ids")
def test_two_sites_stay_apart_if_their_ids_hold_the_joint() -> None:
    found = report("joint_collision.jsonl", "--window", "all")
    for site in {record["site"] for record in found.records()}:
        assert found.value("sessions", site=site) == 1
        assert found.value("orders", site=site) == 1
