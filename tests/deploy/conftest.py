"""The image's build stage, carried out once for all tests that look at what it made."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.image import Build


@pytest.fixture(scope="session")
def built() -> Iterator[Build]:
    """The build stage of the Dockerfile, below a directory that every user may enter."""
    # Not pytest's own directory, which other users may not.
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
