"""Build stage of the image, run once for all tests of its result."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.image import Build


@pytest.fixture(scope="session")
def built() -> Iterator[Build]:
    """The build stage of the Dockerfile, in a directory that every user may enter."""
    # pytest's own directory is closed to other users.
    root = Path(tempfile.mkdtemp(prefix="engage-image-"))
    root.chmod(0o755)
    try:
        build = Build(root)
        build.run()
        yield build
    finally:
        for path in root.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(root)
