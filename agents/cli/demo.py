"""The commands with simulated traffic: everything on this machine, or events for your own Kafka."""

from collections.abc import Callable

import click

from agents.commands.command import with_settings
from agents.simulation.traffic import Spike, Trouble
from stream.settings.application import Settings

RATE = click.option(
    "--rate",
    type=click.FloatRange(0, 20_000, min_open=True),
    default=50.0,
    show_default=True,
    help="Events a second, on average.",
)
SECONDS = click.option("--seconds", type=float, help="Stop by itself after this long.")


def spike_options(seconds: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """What goes wrong in simulated traffic; unless told otherwise, for so many seconds."""
    kind = click.option(
        "--spike", type=click.Choice(["bounce", "churn"]), help="Let something go wrong."
    )
    after = click.option(
        "--spike-after",
        type=click.FloatRange(0),
        default=60.0,
        show_default=True,
        help="Seconds until it does.",
    )
    length = click.option(
        "--spike-seconds",
        type=click.FloatRange(0, min_open=True),
        default=seconds,
        show_default=True,
        help="Seconds until it is over.",
    )
    return lambda command: kind(after(length(command)))


@click.command()
@spike_options(seconds=90)
@click.option(
    "--rate",
    type=click.FloatRange(0, 20_000, min_open=True),
    help="Events a second, on average: 50, or 150 with --spike, of which alerts can tell more.",
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
    """Show everything on this machine.

    Kafka, Redis, simulated traffic and a worker, with no server to install. Where there is a
    Prometheus, it runs the shipped rules sixty times as fast, and the live page shows the alerts.

    \b
    Example:   engage demo --spike bounce
               After a minute, visitors begin to leave at once; watch the bounce rate, and the
               alert that is pending, firing, and resolved.
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
    """Send simulated traffic to your Kafka.

    Into topics that hold nothing yet, a month of past goes first.

    \b
    Example:   engage topics create && engage simulate --rate 200
    """
    from agents.simulation.simulate import run_simulate

    trouble = Trouble(spike, spike_after, spike_seconds) if spike else None
    return run_simulate(settings, rate=rate, trouble=trouble, seconds=seconds)
