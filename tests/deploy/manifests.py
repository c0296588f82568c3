"""Kubernetes manifests as kustomize builds them, and the schemas they must keep."""

import json
from functools import cache
from typing import Any

import yaml

from tests.deploy import DEPLOY
from tests.deploy.tools import run_tool

KUBERNETES = DEPLOY / "kubernetes"
#: A release that many clusters still run, and the newest that the tool knows.
RELEASES = ("1.31", "1.37")
# Models of the custom resources, as the packages name them.
MODELS = {
    "ScaledObject": "cloudcoil.models.keda.v1alpha1",
    "TriggerAuthentication": "cloudcoil.models.keda.v1alpha1",
    "ServiceMonitor": "cloudcoil.models.prometheus_operator.v1",
    "PrometheusRule": "cloudcoil.models.prometheus_operator.v1",
}
SCHEMA = "import importlib, json, sys; m = importlib.import_module(sys.argv[1]);"
SCHEMA += "print(json.dumps(getattr(m, sys.argv[2]).model_json_schema(by_alias=True)))"

Resource = dict[str, Any]


@cache
def built(folder: str) -> tuple[Resource, ...]:
    """Return all resources of a kustomization."""
    done = run_tool("kubectl", "kustomize", KUBERNETES / folder)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def one(folder: str, kind: str) -> Resource:
    """Return the only resource of its kind."""
    (found,) = (resource for resource in built(folder) if resource["kind"] == kind)
    return found


def containers(folder: str) -> dict[str, tuple[Resource, Resource]]:
    """Return pod and container of everything that runs, by name."""
    pods = [
        resource["spec"]["template"]["spec"]
        for resource in built(folder)
        if resource["kind"] in ("Deployment", "Job")
    ]
    return {one["name"]: (pod, one) for pod in pods for one in pod["containers"]}


@cache
def custom_schema(kind: str) -> Resource:
    """Return the schema of a custom resource, which refuses unknown fields."""
    done = run_tool("python", "-c", SCHEMA, MODELS[kind], kind)
    assert done.returncode == 0, done.stderr
    schema: Resource = json.loads(done.stdout)
    for definition in (schema, *schema["$defs"].values()):
        if "properties" in definition:
            definition.setdefault("additionalProperties", False)
    return schema
