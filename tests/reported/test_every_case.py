"""Every reported case has a test that states its right value."""

import importlib
import json
import pkgutil

import tests.reported as package
from tests.reported.cases import REPORTED


def test_every_reported_case_has_a_test() -> None:
    wanted = {one["name"] for one in json.loads((REPORTED / "cases.json").read_text("utf-8"))}
    named: set[str] = set()
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("test_") and module.name != __name__.rpartition(".")[2]:
            members = vars(importlib.import_module(f"{package.__name__}.{module.name}"))
            for member in members.values():
                named |= set(getattr(member, "reported_cases", ()))
    assert len(wanted) == 55
    assert wanted <= named, f"without a test: {sorted(wanted - named)}"
    assert named <= wanted, f"not a case: {sorted(named - wanted)}"
