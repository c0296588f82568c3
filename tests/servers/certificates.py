"""Certificates of a test's own authority, made by openssl: valid ones, expired ones, encrypted keys."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

KEY_PASSWORD = "open sesame"


class Certified(NamedTuple):
    """PEM files of a certificate and its key."""

    cert: Path
    key: Path

    def joined(self) -> Path:
        """Return a file of key and certificate, as Java reads it."""
        file = self.cert.with_suffix(".joined.pem")
        file.write_text(self.key.read_text() + self.cert.read_text())
        return file


class Authority:
    """An authority in a directory, which signs what tests ask for."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._name = directory, name
        self.cert, self._key = directory / f"{name}.pem", directory / f"{name}.key"
        self._openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
            "-keyout", self._key, "-out", self.cert, "-subj", f"/CN={name}",
        )  # fmt: skip

    def sign(
        self, name: str, *, days: int = 365, begun_days_ago: int = 1, encrypted: bool = False
    ) -> Certified:
        """Sign a certificate for 127.0.0.1 that is valid `days` from `begun_days_ago` on."""
        made = Certified(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        request = self._directory / f"{name}.csr"
        self._openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", made.key, "-out", request,
            "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
        )  # fmt: skip
        begin = datetime.now(UTC) - timedelta(days=begun_days_ago)
        moments = (begin, begin + timedelta(days=days))
        first, last = (moment.strftime("%Y%m%d%H%M%SZ") for moment in moments)
        # `openssl ca` is the only one of its programs that takes a beginning in the past.
        (self._directory / "index.txt").write_text("")
        config = self._directory / "ca.cnf"
        config.write_text(
            "[ca]\ndefault_ca=d\n[d]\n"
            f"database={self._directory}/index.txt\nnew_certs_dir={self._directory}\n"
            "rand_serial=yes\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\n"
            "[p]\ncommonName=supplied\n"
        )
        self._openssl(
            "ca", "-batch", "-notext", "-config", config, "-cert", self.cert, "-keyfile", self._key,
            "-in", request, "-out", made.cert, "-startdate", first, "-enddate", last,
        )  # fmt: skip
        if encrypted:
            self._openssl(
                "pkcs8", "-topk8", "-in", made.key, "-out", f"{made.key}.enc",
                "-passout", f"pass:{KEY_PASSWORD}",
            )  # fmt: skip
            made.key.write_text(Path(f"{made.key}.enc").read_text())
        return made

    @staticmethod
    def _openssl(*arguments: object) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
