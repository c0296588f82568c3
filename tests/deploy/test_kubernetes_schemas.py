"""The manifests keep the published schemas of Kubernetes and of the custom resources."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.deploy.manifests import MODELS, RELEASES, Resource, built, custom_schema, one
from tests.deploy.tools import run_tool

BUILDS = ("base", "overlays/example")


@pytest.mark.parametrize("folder", BUILDS)
@pytest.mark.parametrize("release", RELEASES)
def test_kubernetes_resources_keep_their_schemas(folder: str, release: str, tmp_path: Path) -> None:
    core = [resource for resource in built(folder) if resource["kind"] not in MODELS]
    assert len(core) >= 6
    file = tmp_path / "core.yaml"
    file.write_text(yaml.safe_dump_all(core))
    done = run_tool("kubernetes-validate", "--strict", "-k", release, file)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert output.count(f"against version {release}") == len(core)


def test_the_tool_reports_a_mistyped_field(tmp_path: Path) -> None:
    workers = copy.deepcopy(one("base", "Deployment"))
    workers["spec"]["template"]["spec"]["terminationGraceSeconds"] = 20
    file = tmp_path / "workers.yaml"
    file.write_text(yaml.safe_dump(workers))
    done = run_tool("kubernetes-validate", "--strict", "-k", RELEASES[-1], file)
    assert done.returncode != 0
    assert "terminationGraceSeconds" in done.stdout + done.stderr


def problems(resource: Resource) -> list[str]:
    schema = custom_schema(resource["kind"])
    validator = jsonschema.Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(resource)]


@pytest.mark.parametrize("kind", MODELS)
def test_custom_resources_keep_their_schemas(kind: str) -> None:
    assert problems(one("overlays/example", kind)) == []


@pytest.mark.parametrize("kind", MODELS)
def test_a_custom_resource_with_a_mistyped_field_or_value_breaks_its_schema(kind: str) -> None:
    resource = copy.deepcopy(one("overlays/example", kind))
    resource["spec"]["noSuchField"] = 1
    assert problems(resource)
    text = json.dumps(one("overlays/example", kind)["spec"])
    changed = text.replace('"name": ', '"nmae": ').replace('"interval": ', '"intervall": ')
    assert problems(resource | {"spec": json.loads(changed)})


def test_every_custom_kind_is_known() -> None:
    kinds = {
        resource["kind"]
        for resource in built("overlays/example")
        if resource["apiVersion"].split("/")[0].endswith((".com", ".sh"))
    }
    assert kinds == MODELS.keys()
