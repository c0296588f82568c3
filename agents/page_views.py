"""The agent of the topic with page views and heartbeats."""

from agents.intake import Agent, Intake


def agent(intake: Intake, topic: str) -> Agent:
    """Feeds the topic's batches to the shards; the event types decide what is counted."""

    async def page_views(stream: object) -> None:
        await intake.consume(topic, stream)

    return page_views
