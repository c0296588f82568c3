"""The state of a small shop with two sites, stored by a worker without Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.upgrade.invented_log import Logged, step_ends, steps
from tests.upgrade.worker import InProcessWorker

SITES = ("default", "shop")
#: Steps of the log that make a state with every kind of key, with sessions open in the end.
READ = 60


def shop_log(seed: int = 3) -> list[tuple[list[Logged], int]]:
    """Return the log in steps, each with the time of its end in epoch ms."""
    return list(zip(steps(seed), step_ends(), strict=True))


@asynccontextmanager
async def stored_shop(
    url: str, directory: Path, *, cluster: bool = False, settings: str = "", read: int = READ
) -> AsyncIterator[InProcessWorker]:
    """Fold and store the first `read` steps; the worker is in memory still, and may go on."""
    text = f"{settings}\n[redis]\ncluster = {str(cluster).lower()}\n"
    async with InProcessWorker(text, url, directory) as worker:
        await worker.take_over()
        for step, end in shop_log()[:read]:
            await worker.read(step, end)
        yield worker
