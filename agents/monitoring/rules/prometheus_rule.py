"""Builds the PrometheusRule of the Prometheus operator from rule files, which kustomize cannot.

`python -m agents.monitoring.rules.prometheus_rule` renews the one in deploy/kubernetes/components/monitoring from
deploy/prometheus/rules, and `--check` compares them. With a directory, such as one that
`engage export rules` has written, it prints the manifest of its rules.
"""

import sys
from pathlib import Path

import yaml

from agents.monitoring.rules.yaml_text import as_yaml

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
MANIFEST = DEPLOY / "kubernetes" / "components" / "monitoring" / "prometheus-rule.yaml"
HEAD = "Made by `python -m agents.monitoring.rules.prometheus_rule` from rule files; changes here are lost."


def manifest(rules: Path) -> str:
    """Build one resource from the groups of all rule files of a directory."""
    files = sorted(rules.glob("*.yml"))
    if not files:
        sys.exit(f"there is no rule file (*.yml) in {rules}; run `engage export rules` first")
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "engagement", "labels": {"app.kubernetes.io/name": "engagement"}},
        "spec": {"groups": groups},
    }
    return as_yaml(resource, HEAD)


def main(arguments: list[str]) -> int:
    """Write or print the manifest; with --check return 1 if it is not current."""
    text = manifest(DEPLOY / "prometheus" / "rules")
    if arguments == ["--check"]:
        is_current = MANIFEST.is_file() and MANIFEST.read_text() == text
        if not is_current:
            print(
                f"{MANIFEST} is not current: run `python -m agents.monitoring.rules.prometheus_rule`",
                file=sys.stderr,
            )
        return 0 if is_current else 1
    if arguments:
        print(manifest(Path(arguments[0])), end="")
    else:
        MANIFEST.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
