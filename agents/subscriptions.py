"""The agent of the topic with subscriptions and their changes."""

from agents.intake import Agent, Intake


def agent(intake: Intake, topic: str) -> Agent:
    """Feeds the topic's batches to the shards; the event types decide what is counted."""

    async def subscriptions(stream: object) -> None:
        await intake.consume(topic, stream)

    return subscriptions
