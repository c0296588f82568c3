"""The component of the intake keeps the schemas and the rights of the workers, and finds its settings."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.commands.signals import END_SECONDS
from stream.configure.load import load_settings
from stream.intake.process import carried_topics
from stream.settings.application import Settings
from tests.deploy.manifests import RELEASES, built, containers
from tests.deploy.tools import run_tool

FOLDER = "overlays/intake"


def of_kind(kind: str, name: str) -> Any:
    (found,) = (
        one
        for one in built(FOLDER)
        if one["kind"] == kind and one["metadata"]["name"].startswith(name)
    )
    return found


def settings(tmp_path: Path) -> Settings:
    secrets = "/run/secrets/engagement"
    for item in ("kafka-ca.crt", "redis-ca.crt", "kafka-password"):
        (tmp_path / item).write_text("from-the-secret")
    file = tmp_path / "engage.toml"
    text = of_kind("ConfigMap", "engagement")["data"]["engage.toml"]
    file.write_text(text.replace(secrets, str(tmp_path)))
    _, container = containers(FOLDER)["intake"]
    given = {entry["name"]: entry.get("value", "engagement") for entry in container["env"]}
    assert given.pop("ENGAGE_CONFIG") == "/etc/engage/engage.toml"
    return load_settings(file, {k: v.replace(secrets, str(tmp_path)) for k, v in given.items()})


@pytest.mark.parametrize("release", RELEASES)
def test_the_resources_keep_their_schemas(release: str, tmp_path: Path) -> None:
    file = tmp_path / "core.yaml"
    file.write_text(yaml.safe_dump_all(built(FOLDER)))
    done = run_tool("kubernetes-validate", "--strict", "-k", release, file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_is_valid_and_names_a_source(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert carried_topics(found) == ["segment-events"]
    assert found.kafka.sasl_password.reveal() == "from-the-secret"
    _, container = containers(FOLDER)["intake"]
    assert container["ports"][0]["containerPort"] == found.web.port
    assert (found.web.host, container["args"]) == ("0.0.0.0", ["intake"])


def test_its_pods_are_as_safe_as_those_of_the_workers() -> None:
    worker, intake = containers(FOLDER)["worker"], containers(FOLDER)["intake"]
    for pods in (worker, intake):
        assert pods[0]["automountServiceAccountToken"] is False
    assert intake[0]["securityContext"] == worker[0]["securityContext"]
    assert intake[1]["securityContext"] == worker[1]["securityContext"]
    assert intake[1]["image"] == worker[1]["image"]
    assert intake[0]["terminationGracePeriodSeconds"] > END_SECONDS + 5
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert intake[1][probe]["httpGet"] == worker[1][probe]["httpGet"]


def test_its_selectors_find_it_and_not_the_workers() -> None:
    labels = of_kind("Deployment", "engagement-intake")["spec"]["template"]["metadata"]["labels"]
    others = of_kind("Deployment", "engagement-worker")["spec"]["template"]["metadata"]["labels"]
    for kind in ("Service", "PodDisruptionBudget", "Deployment"):
        found = of_kind(kind, "engagement-intake")["spec"]["selector"]
        selector = found.get("matchLabels", found)
        assert selector.items() <= labels.items()
        assert not selector.items() <= others.items()
    policy = of_kind("NetworkPolicy", "engagement")["spec"]["podSelector"]["matchLabels"]
    assert policy.items() <= labels.items()
