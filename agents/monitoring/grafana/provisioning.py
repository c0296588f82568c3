"""What Grafana finds when it starts: its data sources, and the folder of the dashboards."""

from typing import Any

from agents.monitoring.grafana.variables import SOURCE_NAME, SOURCE_UID
from agents.monitoring.rules.surroundings import Surroundings

ALERTS_UID = "engagement-alerts"
#: Where the container of deploy/compose.yaml has the dashboards.
FOLDER = "/var/lib/grafana/dashboards"


def datasources(place: Surroundings) -> dict[str, Any]:
    """Prometheus and the Alertmanager. What no file names any more is removed."""
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
                    # That of scrapes and rules: no step of a query is shorter.
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
    """The dashboards; they are changed in their files and nowhere else."""
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
