"""The agent of the topic with survey answers and tickets."""

from agents.intake import Agent, Intake


def agent(intake: Intake, topic: str) -> Agent:
    """Feeds the topic's batches to the shards; the event types decide what is counted."""

    async def feedback(stream: object) -> None:
        await intake.consume(topic, stream)

    return feedback
