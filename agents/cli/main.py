"""The command `engage`: its help, and where each subcommand comes from."""

import sys

import click

try:
    from agents import refuse_shadows
except ImportError:
    sys.exit(
        "engage: another distribution's package `agents` was installed over engagement-stream's. "
        "Install engagement-stream in an environment of its own"
    )
refuse_shadows()

from agents.cli.files import export, settings  # noqa: E402
from agents.cli.foreign import detect, map_command  # noqa: E402
from agents.cli.group import Commands, config_option  # noqa: E402
from agents.cli.numbers import churn_risk, metrics, query, report, tail, top  # noqa: E402
from agents.cli.service import check, health, intake, topics, worker  # noqa: E402
from agents.cli.state import backfill, plan, state  # noqa: E402
from agents.cli.traffic import demo, replay, simulate  # noqa: E402


@click.group(
    cls=Commands,
    params=[config_option(envvar="ENGAGE_CONFIG")],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="engagement-stream", prog_name="engage")
def main() -> None:
    """Live customer-engagement metrics from Kafka.

    \b
    Try it, with nothing to install:      engage demo
    See what your files say:              engage report events.jsonl.gz
    See what others' events become:       engage detect events.jsonl
    Write a configuration to edit:        engage settings > engage.toml
    Prepare your own Kafka and Redis:     engage check && engage topics create
    Then run, as often as you like:       engage worker

    Settings come from engage.toml and from variables such as ENGAGE_KAFKA_BOOTSTRAP_SERVERS.
    The option --config may stand before or after the command; the later one wins.

    \b
    Exit codes:  0    done
                 1    a server or a file failed
                 2    the command line or the configuration is wrong
                 130  interrupted by Ctrl-C; 143 by SIGTERM
    """


for command in (
    demo, report, map_command, detect, settings, check, topics, worker, intake, health, metrics, query, tail, top,
    plan, backfill, state, replay, simulate, export, churn_risk,
):  # fmt: skip
    main.add_command(command)
