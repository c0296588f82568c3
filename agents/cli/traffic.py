"""The commands that send events: the demonstration, simulated traffic, and replays of files."""

from collections.abc import Callable

import click

from agents.cli.options import FILES, with_settings
from agents.simulation.traffic import Spike, Trouble
from stream.settings.application import Settings

RATE = click.option(
    "--rate",
    type=click.FloatRange(0, 20_000, min_open=True),
    default=50.0,
    show_default=True,
    help="Events a second, on average.",
)
SECONDS = click.option("--seconds", type=float, help="Stop after SECONDS; by default at Ctrl-C.")


def spike_options(seconds: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Build the options for trouble in simulated traffic; by default it lasts `seconds`."""
    kind = click.option(
        "--spike",
        type=click.Choice(["bounce", "churn"]),
        help="Trouble to simulate: visitors leave at once, or customers cancel.",
    )
    after = click.option(
        "--spike-after",
        type=click.FloatRange(0),
        default=60.0,
        show_default=True,
        help="Seconds until the trouble begins.",
    )
    length = click.option(
        "--spike-seconds",
        type=click.FloatRange(0, min_open=True),
        default=seconds,
        show_default=True,
        help="Seconds that the trouble lasts.",
    )
    return lambda command: kind(after(length(command)))


@click.command()
@spike_options(seconds=90)
@click.option(
    "--rate",
    type=click.FloatRange(0, 20_000, min_open=True),
    help="Events a second, on average; by default 50, or 150 with --spike.",
)
@SECONDS
@with_settings
def demo(
    settings: Settings,
    spike: Spike | None,
    spike_after: float,
    spike_seconds: float,
    rate: float | None,
    seconds: float | None,
) -> int:
    """Run everything on this machine with simulated traffic.

    Starts an embedded Kafka, a Redis, traffic and a worker; no server needs to be installed. If a
    `prometheus` is found on the path, it runs the shipped rules sixty times as fast, and the live
    page shows their alerts.

    \b
    Example:    engage demo
                engage demo --spike bounce     after a minute, visitors leave at once: watch the
                                               bounce rate, and its alert fire and resolve

    \b
    Exit codes: 0 ended; 1 a part could not start, or failed; 2 wrong configuration.
    """
    from agents.simulation.demo import run_demo

    trouble = Trouble(spike, spike_after, spike_seconds) if spike else None
    rate = rate or (150.0 if spike else 50.0)
    return run_demo(settings, trouble=trouble, rate=rate, seconds=seconds)


@click.command()
@spike_options(seconds=1_800)
@RATE
@SECONDS
@with_settings
def simulate(
    settings: Settings,
    spike: Spike | None,
    spike_after: float,
    spike_seconds: float,
    rate: float,
    seconds: float | None,
) -> int:
    """Send simulated traffic to your Kafka, until Ctrl-C.

    If the topics are empty, a month of past events goes first.

    \b
    Example:    engage topics create && engage simulate --rate 200

    \b
    Exit codes: 0 ended; 1 Kafka cannot be reached; 2 wrong configuration.
    """
    from agents.simulation.simulate import run_simulate

    trouble = Trouble(spike, spike_after, spike_seconds) if spike else None
    return run_simulate(settings, rate=rate, trouble=trouble, seconds=seconds)


@click.command()
@FILES
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    help="Speed of event time: 60 sends an hour of events in a minute. By default as fast as possible.",
)
@click.option(
    "--topic-by-type/--one-topic",
    default=True,
    show_default=True,
    help="Send each event type to its topic, or all to the first topic.",
)
@click.option("--skip-bad", is_flag=True, help="Leave out lines that are not events.")
@with_settings
def replay(
    settings: Settings,
    files: tuple[str, ...],
    speed: float | None,
    topic_by_type: bool,
    skip_bad: bool,
) -> int:
    """Send the events of files to the topics.

    The files are read as `engage report` does, but in the order of their lines. Lines that are not
    events are sent too, so that the ledger shows them.

    \b
    Example:    engage replay --speed 60 monday.jsonl.gz

    \b
    Exit codes: 0 Kafka confirmed all records; 1 it did not, or a file cannot be read; 2 wrong
                configuration.
    """
    from agents.commands.replay import run_replay

    return run_replay(
        settings, list(files), speed=speed, topic_by_type=topic_by_type, skip_bad=skip_bad
    )
