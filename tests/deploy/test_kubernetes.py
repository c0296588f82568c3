"""The manifests agree with the code and with each other, and pods have only the rights they need."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from agents.cli.main import main
from agents.monitoring.rules import prometheus_rule
from stream.configure.load import load_settings
from stream.settings.application import Settings
from tests.deploy import DEPLOY, ROOT, compose
from tests.deploy.image import environment, stages, values
from tests.deploy.manifests import KUBERNETES, Resource, built, containers, one

EXAMPLE = "overlays/example"
NAMES = ("worker", "topics")
SECRETS = "/run/secrets/engagement"


def settings_of(name: str, tmp_path: Path) -> Settings:
    """Return the settings that a container reads: the ConfigMap's file, its variables, its secret files."""
    pod, container = containers(EXAMPLE)[name]
    for volume in pod["volumes"]:
        for item in volume.get("secret", {}).get("items", []):
            (tmp_path / item["path"]).write_text("from-the-secret")
    text = one(EXAMPLE, "ConfigMap")["data"]["engage.toml"]
    file = tmp_path / "engage.toml"
    file.write_text(text.replace(SECRETS, str(tmp_path)))
    given = {entry["name"]: entry.get("value", "from-the-secret") for entry in container["env"]}
    assert given.pop("ENGAGE_CONFIG") == "/etc/engage/engage.toml"
    return load_settings(file, {k: v.replace(SECRETS, str(tmp_path)) for k, v in given.items()})


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_is_valid_and_secrets_come_from_files(name: str, tmp_path: Path) -> None:
    settings = settings_of(name, tmp_path)
    assert settings.kafka.protocol == "sasl_ssl" and not settings.kafka.allow_insecure
    assert settings.kafka.sasl_password.reveal() == "from-the-secret"
    assert settings.redis.url.startswith("rediss://")
    assert name != "worker" or settings.redis.password.reveal() == "from-the-secret"


@pytest.mark.parametrize("name", NAMES)
def test_files_are_mounted_where_the_variables_point(name: str) -> None:
    pod, container = containers(EXAMPLE)[name]
    places = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert places == {"config": "/etc/engage", "secrets": SECRETS, "tmp": "/tmp"}
    assert places.keys() == {volume["name"] for volume in pod["volumes"]}
    assert environment(stages()[-1])["HOME"] == "/tmp"
    assert values(stages()[-1], "WORKDIR") == ["/etc/engage"]


def test_no_secret_is_shipped() -> None:
    assert not [resource for resource in built(EXAMPLE) if resource["kind"] == "Secret"]
    assert "password = " not in one(EXAMPLE, "ConfigMap")["data"]["engage.toml"]


@pytest.mark.parametrize("name", NAMES)
def test_commands_exist(name: str) -> None:
    _, container = containers(EXAMPLE)[name]
    context = main.make_context("engage", list(container["args"]))
    command = main.get_command(context, container["args"][0])
    assert command is not None
    command.make_context(container["args"][0], list(container["args"][1:]), parent=context)
    assert "command" not in container  # The image's entry point.


@pytest.mark.parametrize("name", NAMES)
def test_pods_fit_the_restricted_profile(name: str) -> None:
    pod, container = containers(EXAMPLE)[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (user,) = values(stages()[-1], "USER")
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == user
    own = container["securityContext"]
    assert own["allowPrivilegeEscalation"] is False and own["readOnlyRootFilesystem"] is True
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False
    allowed = {"configMap", "secret", "emptyDir"}
    assert all(volume.keys() - {"name"} <= allowed for volume in pod["volumes"])
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod.keys()
    assert container["resources"]["limits"]["memory"] and container["resources"]["requests"]
    labels = one(EXAMPLE, "Namespace")["metadata"]["labels"]
    assert labels == {"pod-security.kubernetes.io/enforce": "restricted"}


def test_probes_use_existing_pages_on_the_listening_port(tmp_path: Path) -> None:
    _, container = containers(EXAMPLE)["worker"]
    (port,) = container["ports"]
    assert port["containerPort"] == settings_of("worker", tmp_path).web.port
    served = re.findall(r'add_get\("(/\w+)"', (ROOT / "stream" / "web" / "listener.py").read_text())
    for probe, path in (
        ("startup", "/healthz"),
        ("liveness", "/healthz"),
        ("readiness", "/readyz"),
    ):
        target = container[f"{probe}Probe"]["httpGet"]
        assert target == {"path": path, "port": port["name"]}
        assert path in served
    assert settings_of("worker", tmp_path).web.host == "0.0.0.0"


def test_the_grace_period_of_a_worker_is_long_enough() -> None:
    from agents.commands.signals import END_SECONDS

    pod, _ = containers(EXAMPLE)["worker"]
    assert pod["terminationGracePeriodSeconds"] > END_SECONDS + 5


def test_the_image_is_the_one_built_here_with_a_version() -> None:
    (version,) = [arg for arg in values(stages()[-1], "ARG") if arg.startswith("VERSION=")]
    for _, container in containers(EXAMPLE).values():
        assert container["image"].endswith(f"/engagement-stream:{version.removeprefix('VERSION=')}")


def selects(selector: Resource, labels: Resource) -> bool:
    return bool(selector) and selector.items() <= labels.items()


def test_every_selector_finds_the_workers() -> None:
    labels = one(EXAMPLE, "Deployment")["spec"]["template"]["metadata"]["labels"]
    service, monitor = one(EXAMPLE, "Service"), one(EXAMPLE, "ServiceMonitor")
    spread = containers(EXAMPLE)["worker"][0]["topologySpreadConstraints"]
    for selector in (
        one(EXAMPLE, "Deployment")["spec"]["selector"]["matchLabels"],
        one(EXAMPLE, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        one(EXAMPLE, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        service["spec"]["selector"],
        *(constraint["labelSelector"]["matchLabels"] for constraint in spread),
    ):
        assert selects(selector, labels)
    assert selects(monitor["spec"]["selector"]["matchLabels"], service["metadata"]["labels"])
    job = one(EXAMPLE, "Job")["spec"]["template"]["metadata"]["labels"]
    assert selects(one(EXAMPLE, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"], job)
    assert not selects(service["spec"]["selector"], job)


def in_namespace(name: str) -> Resource:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def test_the_network_policy_admits_only_the_scraper() -> None:
    for folder in ("base", EXAMPLE):
        spec = one(folder, "NetworkPolicy")["spec"]
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        (inbound,) = spec["ingress"]
        assert inbound["from"] == [in_namespace("monitoring")]
        assert inbound["ports"] == [{"port": "http", "protocol": "TCP"}]


def test_the_network_policy_lets_out_only_the_addresses_of_the_settings(tmp_path: Path) -> None:
    settings = settings_of("worker", tmp_path)
    names, *rules = one(EXAMPLE, "NetworkPolicy")["spec"]["egress"]
    assert {(port["port"], port["protocol"]) for port in names["ports"]} == {
        (53, "UDP"),
        (53, "TCP"),
    }
    assert names["to"][0]["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    addresses = (settings.kafka.bootstrap_servers, settings.redis.url, settings.web.prometheus_url)
    for rule, address in zip(rules, addresses, strict=True):
        parts = urlsplit(address if "://" in address else f"//{address}")
        assert rule["ports"] == [{"port": parts.port, "protocol": "TCP"}]
        (where,) = rule["to"]
        namespace = where["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        assert (parts.hostname or "").endswith(f".{namespace}.svc")


def test_workers_read_alerts_from_the_prometheus_of_the_component() -> None:
    """The address is set only with the component, since a plain cluster has no Prometheus."""
    name = "ENGAGE_WEB_PROMETHEUS_URL"
    pods = {folder: containers(folder)["worker"][1]["env"] for folder in ("base", EXAMPLE)}
    given = {f: {e["name"]: e.get("value") for e in env} for f, env in pods.items()}
    assert name not in given["base"] and given[EXAMPLE][name]
    assert name in compose.environment("worker")
    assert len(one("base", "NetworkPolicy")["spec"]["egress"]) == 3
    (target,) = one(EXAMPLE, "NetworkPolicy")["spec"]["egress"][3]["to"]
    assert target["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}


def test_autoscaling_ends_at_the_number_of_partitions(tmp_path: Path) -> None:
    settings, spec = settings_of("worker", tmp_path), one(EXAMPLE, "ScaledObject")["spec"]
    assert spec["scaleTargetRef"]["name"] == one(EXAMPLE, "Deployment")["metadata"]["name"]
    assert 1 < spec["minReplicaCount"] < spec["maxReplicaCount"] == settings.topics.partitions
    (trigger,) = spec["triggers"]
    target = trigger["metadata"]
    assert target["consumerGroup"] == settings.consumer_group
    assert target["bootstrapServers"] == settings.kafka.bootstrap_servers
    assert target["sasl"] == settings.kafka.sasl_mechanism.lower().replace("-", "_").replace(
        "sha_", "sha"
    )
    assert target["tls"] == "enable" and "topic" not in target
    # Either the autoscaler or the Deployment sets the number of replicas.
    assert "replicas" not in one(EXAMPLE, "Deployment")["spec"]
    assert one("base", "Deployment")["spec"]["replicas"] > 1


def test_the_keys_of_the_secret_are_the_same_everywhere() -> None:
    used = {
        (ref["name"], ref["key"])
        for ref in one(EXAMPLE, "TriggerAuthentication")["spec"]["secretTargetRef"]
    }
    for pod, container in containers(EXAMPLE).values():
        used |= {
            (entry["valueFrom"]["secretKeyRef"]["name"], entry["valueFrom"]["secretKeyRef"]["key"])
            for entry in container["env"]
            if "valueFrom" in entry
        }
        for volume in pod["volumes"]:
            secret = volume.get("secret", {})
            used |= {(secret["secretName"], item["key"]) for item in secret.get("items", ())}
    text = (KUBERNETES / "base" / "workers.yaml").read_text()
    documented = set(re.findall(r"--from-(?:literal|file)=([\w.-]+)", text))
    assert {name for name, _ in used} == {"engagement"}
    assert {key for _, key in used} == documented


def test_prometheus_gets_the_job_name_of_the_rules() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    monitor = one(EXAMPLE, "ServiceMonitor")["spec"]
    labels = one(EXAMPLE, "Service")["metadata"]["labels"]
    assert labels[monitor["jobLabel"]] == job["job_name"]
    (endpoint,) = monitor["endpoints"]
    assert endpoint["interval"] == config["global"]["scrape_interval"]
    assert endpoint["scrapeTimeout"] == config["global"]["scrape_timeout"]
    assert monitor["sampleLimit"] == job["sample_limit"]
    assert monitor["labelValueLengthLimit"] == job["label_value_length_limit"]
    (port,) = one(EXAMPLE, "Service")["spec"]["ports"]
    assert endpoint["port"] == port["name"]


def test_the_prometheus_rule_is_current_and_holds_every_group() -> None:
    assert prometheus_rule.main(["--check"]) == 0, (
        "run: python -m agents.monitoring.rules.prometheus_rule"
    )
    shipped = [
        group
        for file in sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
        for group in yaml.safe_load(file.read_text())["groups"]
    ]
    assert one(EXAMPLE, "PrometheusRule")["spec"]["groups"] == shipped


def test_a_prometheus_rule_can_be_made_from_another_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    group = {"name": "mine", "rules": [{"record": "a:b", "expr": "vector(1)"}]}
    (tmp_path / "own.yml").write_text(yaml.safe_dump({"groups": [group]}))
    assert prometheus_rule.main([str(tmp_path)]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["spec"]["groups"] == [group]
    with pytest.raises(SystemExit, match="there is no rule file"):
        prometheus_rule.manifest(tmp_path / "nowhere")
