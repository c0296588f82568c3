"""Real Prometheus with one of our rules that always fires, and a foreign one."""

import shutil
from pathlib import Path

from tests.servers.process import ServerMissing, ServerProcess, ask

RULES = """\
groups:
  - name: test
    rules:
      - alert: EngagementAlwaysFiring
        expr: vector(1)
        labels: {signal: bounce, severity: warning, site: default}
        annotations: {summary: "<b>Bounce</b> is what it never is."}
      - alert: SomebodyElses
        expr: vector(1)
        labels: {severity: critical}
"""


class Prometheus(ServerProcess):
    """Debian's Prometheus; it evaluates once a second and scrapes one worker."""

    def __init__(self) -> None:
        if shutil.which("prometheus") is None:
            raise ServerMissing(
                "prometheus is not installed; on Debian: apt-get install prometheus"
            )
        super().__init__("prometheus")
        (self.directory / "rules.yml").write_text(RULES)

    def scrape(self, target: str) -> None:
        """Set the scraped target; to be called before the start."""
        (self.directory / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            "rule_files: [rules.yml]\n"
            f"scrape_configs: [{{job_name: engagement, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        directory = Path(self.directory)
        return [
            "prometheus", f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address=127.0.0.1:{self.port}",
        ]  # fmt: skip

    def answers(self) -> bool:
        return b" 200 " in ask(self.port, b"GET /-/ready HTTP/1.0\r\n\r\n", size=64)
