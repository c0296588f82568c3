"""The seven Faust agents, one per input topic: each hands the batches of its topic to the shards."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

#: A Faust agent: consumes a stream until it ends.
Agent = Callable[[Any], Awaitable[None]]


class Intake(Protocol):
    """The way of a topic's batches into the shards."""

    async def consume(self, topic: str, stream: Any) -> None:
        """Hand every batch of the stream to its shard."""


def page_views(intake: Intake, topic: str) -> Agent:
    """Return the agent of the topic with page views and heartbeats."""

    async def page_views(stream: object) -> None:
        await intake.consume(topic, stream)

    return page_views


def clicks(intake: Intake, topic: str) -> Agent:
    """Return the agent of the topic with impressions, clicks, custom events and feature use."""

    async def clicks(stream: object) -> None:
        await intake.consume(topic, stream)

    return clicks


def sessions(intake: Intake, topic: str) -> Agent:
    """Return the agent of the topic with starts and ends of sessions."""

    async def sessions(stream: object) -> None:
        await intake.consume(topic, stream)

    return sessions


def subscriptions(intake: Intake, topic: str) -> Agent:
    """Return the agent of the topic with subscriptions and their changes."""

    async def subscriptions(stream: object) -> None:
        await intake.consume(topic, stream)

    return subscriptions


def orders(intake: Intake, topic: str) -> Agent:
    """Return the agent of the topic with carts, orders, refunds and goals."""

    async def orders(stream: object) -> None:
        await intake.consume(topic, stream)

    return orders


def feedback(intake: Intake, topic: str) -> Agent:
    """Return the agent of the topic with survey answers and tickets."""

    async def feedback(stream: object) -> None:
        await intake.consume(topic, stream)

    return feedback


def social(intake: Intake, topic: str) -> Agent:
    """Return the agent of the topic with social posts and marketing spend."""

    async def social(stream: object) -> None:
        await intake.consume(topic, stream)

    return social


#: Setting of the topic → maker of its agent. Any topic may carry any event type.
AGENTS: dict[str, Callable[[Intake, str], Agent]] = {
    "page_views": page_views,
    "clicks": clicks,
    "sessions": sessions,
    "subscriptions": subscriptions,
    "orders": orders,
    "feedback": feedback,
    "social": social,
}
