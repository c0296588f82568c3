"""Provisioning of Grafana: data sources, and the folder of dashboards."""

from typing import Any

from agents.monitoring.grafana.variables import SOURCE_NAME, SOURCE_UID
from agents.monitoring.rules.surroundings import Surroundings

ALERTS_UID = "engagement-alerts"
#: Folder of the dashboards in the container of deploy/compose.yaml.
FOLDER = "/var/lib/grafana/dashboards"


def datasources(place: Surroundings) -> dict[str, Any]:
    """Build the data sources, Prometheus and Alertmanager; Grafana removes others of its files."""
    return {
        "apiVersion": 1,
        "prune": True,
        "datasources": [
            {
                "name": SOURCE_NAME,
                "uid": SOURCE_UID,
                "type": "prometheus",
                "access": "proxy",
                "url": f"http://{place.prometheus}",
                "isDefault": True,
                "editable": False,
                "jsonData": {
                    "httpMethod": "POST",
                    "prometheusType": "Prometheus",
                    # Interval of scrapes and rules, and the shortest step of a query.
                    "timeInterval": place.pace.of(15),
                    "manageAlerts": True,
                    "alertmanagerUid": ALERTS_UID,
                },
            },
            {
                "name": "Alertmanager",
                "uid": ALERTS_UID,
                "type": "alertmanager",
                "access": "proxy",
                "url": f"http://{place.alertmanager}",
                "editable": False,
                "jsonData": {"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
            },
        ],
    }


def providers() -> dict[str, Any]:
    """Build the provider of the dashboards; they change in their files only."""
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "engagement",
                "orgId": 1,
                "folder": "Engagement",
                "folderUid": "engagement",
                "type": "file",
                "disableDeletion": False,
                "allowUiUpdates": False,
                "updateIntervalSeconds": 30,
                "options": {"path": FOLDER, "foldersFromFilesStructure": False},
            }
        ],
    }
