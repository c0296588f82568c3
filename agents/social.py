"""The agent of the topic with social posts and marketing spend."""

from agents.intake import Agent, Intake


def agent(intake: Intake, topic: str) -> Agent:
    """Feeds the topic's batches to the shards; the event types decide what is counted."""

    async def social(stream: object) -> None:
        await intake.consume(topic, stream)

    return social
