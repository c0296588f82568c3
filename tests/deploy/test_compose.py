"""compose.yaml is valid, agrees with the code and with its own parts, and gives no more rights than needed."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from graphlib import TopologicalSorter
from urllib.parse import urlsplit

import pytest
import yaml

from agents.cli.main import main
from stream.configure.load import load_settings
from stream.intake.process import carried_topics
from stream.settings.application import Settings
from tests.conftest import missing
from tests.deploy import DEPLOY
from tests.deploy.compose import (
    FILE,
    arguments,
    document,
    environment,
    mounts,
    ours,
    properties,
    published,
    services,
    shipped,
)
from tests.deploy.image import command_line, stages, values
from tests.deploy.tools import run_tool
from tests.servers.process import ServerMissing

ALL = sorted(services())
PINNED = re.compile(r"[a-z/-]+:v?\d+\.\d+\.\d+")
SECRET = re.compile(r"password|secret|token|api_?key", re.IGNORECASE)


def test_the_file_keeps_the_published_schema() -> None:
    done = run_tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", FILE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_parts_of_the_chain_are_present() -> None:
    assert set(ALL) == {
        "kafka", "redis", "topics", "worker", "intake", "simulator", "prometheus", "alertmanager",
        "grafana",
    }  # fmt: skip
    assert services()["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", ALL)
def test_images_are_pinned_by_version(name: str) -> None:
    assert PINNED.fullmatch(services()[name]["image"])


@pytest.mark.parametrize("name", ALL)
def test_a_service_has_only_the_rights_it_needs(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged") and service.get("user") != "root"
    assert {"cpus", "memory", "pids"} == service["deploy"]["resources"]["limits"].keys()
    assert service["logging"]["options"]["max-size"]
    assert service["restart"].startswith(("unless-stopped", "on-failure"))


@pytest.mark.parametrize("name", ALL)
def test_only_this_machine_reaches_a_port(name: str) -> None:
    assert {port.address for port in published(name)} <= {"127.0.0.1"}
    assert "network_mode" not in services()[name]


@pytest.mark.parametrize("name", ALL)
def test_health_is_checked_for_every_service_with_a_page(name: str) -> None:
    check = services()[name].get("healthcheck")
    if name in ("topics", "simulator"):
        assert check == {"disable": True}
    elif name in ("worker", "intake"):
        assert check is None and values(stages()[-1], "HEALTHCHECK")
    else:
        assert check["test"][0] == "CMD"


def test_all_services_have_different_ports() -> None:
    ports = [port.host for name in ALL for port in published(name)]
    assert len(ports) == len(set(ports))


def test_the_file_contains_no_secret() -> None:
    for name in ALL:
        assert not [key for key in environment(name) if SECRET.search(key)]
    assert not SECRET.search(re.sub("#.*", "", FILE.read_text()))


def test_every_service_starts_after_its_dependencies() -> None:
    graph = {name: services()[name].get("depends_on", {}) for name in ALL}
    assert list(TopologicalSorter(graph).static_order())
    for name, needs in graph.items():
        for needed, how in needs.items():
            can_end = services()[needed]["restart"].startswith("on-failure")
            ending = how["condition"] == "service_completed_successfully"
            assert ending == can_end, (name, needed)
    assert {"kafka", "redis", "topics"} <= graph["worker"].keys()


@pytest.mark.parametrize("name", ours())
def test_variables_are_settings_and_make_a_valid_configuration(name: str) -> None:
    environ = environment(name)
    assert environ and all(isinstance(value, str) for value in environ.values())
    assert all(key.startswith("ENGAGE_") for key in environ)
    load_settings(None, environ)


@pytest.mark.parametrize("name", ours())
def test_commands_exist(name: str) -> None:
    """Parse the command as the command line does, without running it."""
    group, context = main, main.make_context("engage", arguments(name))
    words = arguments(name)
    while words:
        word, command, words = group.resolve_command(context, words)
        assert word and command
        context = command.make_context(word, words, parent=context)
        if not hasattr(command, "resolve_command"):
            return
        group = command
    pytest.fail(f"{name}: {arguments(name)} names no command")


def test_our_services_run_the_image_that_is_built_here() -> None:
    (version,) = [arg for arg in values(stages()[-1], "ARG") if arg.startswith("VERSION=")]
    for name in ours():
        service = services()[name]
        assert service["image"] == f"engagement-stream:{version.removeprefix('VERSION=')}"
        assert (FILE.parent / service["build"]["context"]).resolve() == FILE.parents[1]
        assert service["build"]["dockerfile"] == "deploy/Dockerfile"
        assert "entrypoint" not in service and command_line(stages()[-1], "ENTRYPOINT")


def test_workers_find_kafka_and_redis_and_can_be_reached() -> None:
    settings = load_settings(None, environment("worker"))
    broker = properties(shipped("kafka", "/etc/engagement/server.properties"))
    assert f"INTERNAL://{settings.kafka.bootstrap_servers}" in broker["advertised.listeners"]
    assert urlsplit(settings.redis.url).hostname in services()
    (port,) = published("worker")
    assert port.container == settings.web.port == int(values(stages()[-1], "EXPOSE")[0])
    assert settings.web.host == "0.0.0.0"


def test_the_intake_waits_for_its_profile_and_has_a_source() -> None:
    service = services()["intake"]
    assert service["profiles"] == ["intake"]
    settings = load_settings(None, environment("intake"))
    assert carried_topics(settings) == ["segment-events"]
    (port,) = published("intake")
    assert (port.container, settings.web.host) == (settings.web.port, "0.0.0.0")
    grace = float(service["stop_grace_period"].removesuffix("s"))
    assert grace == float(services()["worker"]["stop_grace_period"].removesuffix("s"))


def test_there_are_as_many_worker_ports_as_partitions() -> None:
    (text,) = services()["worker"]["ports"]
    first, last = re.findall(r":(\d+)-(\d+):", text)[0]
    partitions = load_settings(None, environment("topics")).topics.partitions
    assert int(last) - int(first) + 1 == partitions == Settings().topics.partitions


def test_the_broker_advertises_its_published_port() -> None:
    broker = properties(shipped("kafka", "/etc/engagement/server.properties"))
    (port,) = published("kafka")
    assert f"HOST://127.0.0.1:{port.host}" in broker["advertised.listeners"].split(",")
    assert f"HOST://0.0.0.0:{port.container}" in broker["listeners"].split(",")
    assert broker["log.dirs"] in mounts("kafka")
    assert "/etc/engagement/server.properties" in " ".join(arguments("kafka"))


def test_the_stop_grace_period_is_long_enough() -> None:
    from agents.commands.signals import END_SECONDS

    grace = float(services()["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace > END_SECONDS + 2


@pytest.mark.parametrize("name", ALL)
def test_mounted_files_exist(name: str) -> None:
    for source in mounts(name).values():
        if source.startswith("."):
            assert (DEPLOY / source).is_dir(), f"{source} of {name} is not shipped"
        else:
            assert source in document()["volumes"]
    for network in services()[name]["networks"]:
        assert network in document()["networks"]


def flags(name: str) -> Iterator[tuple[str, str]]:
    for argument in arguments(name):
        flag, _, value = argument.partition("=")
        yield flag, value


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_flags_exist_and_their_files_are_shipped(name: str) -> None:
    program = shutil.which(name) or shutil.which(f"prometheus-{name}")
    if program is None:
        missing(ServerMissing(f"{name} is not on the path: apt install it to check its flags"))
    known = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=20)
    listed = set(re.findall(r"--[a-z.-]+[a-z]", known.stdout + known.stderr))
    for flag, value in flags(name):
        assert flag in listed
        if flag == "--config.file":
            assert shipped(name, value).is_file()
        if flag.endswith(".path"):
            assert value in mounts(name)


def reachable(name: str, target: str) -> bool:
    """Return whether a container can reach host:port of another by its name."""
    host, _, port = target.rpartition(":")
    other = services().get(host)
    if other is None or not set(other["networks"]) & set(services()[name]["networks"]):
        return False
    return int(port) in {one.container for one in published(host)}


def test_prometheus_scrapes_the_workers_and_knows_alertmanager() -> None:
    config = yaml.safe_load(shipped("prometheus", "/etc/prometheus/prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert reachable("prometheus", f"{found['names'][0]}:{found['port']}")
    (alerting,) = config["alerting"]["alertmanagers"]
    assert [reachable("prometheus", t) for s in alerting["static_configs"] for t in s["targets"]]
    assert all(reachable("prometheus", t) for s in alerting["static_configs"] for t in s["targets"])
    for pattern in config["rule_files"]:
        assert list(shipped("prometheus", "/etc/prometheus/prometheus.yml").parent.glob(pattern))


def test_grafana_finds_its_sources_and_dashboards() -> None:
    provisioning = shipped("grafana", "/etc/grafana/provisioning/datasources").parent
    sources = [
        source
        for file in provisioning.glob("datasources/*.y*ml")
        for source in yaml.safe_load(file.read_text())["datasources"]
    ]
    assert {source["type"] for source in sources} == {"prometheus", "alertmanager"}
    for source in sources:
        assert reachable("grafana", urlsplit(source["url"]).netloc), source["url"]
    providers = [
        provider
        for file in provisioning.glob("dashboards/*.y*ml")
        for provider in yaml.safe_load(file.read_text())["providers"]
    ]
    assert providers
    for provider in providers:
        assert list(shipped("grafana", provider["options"]["path"] + "/x").parent.glob("*.json"))
