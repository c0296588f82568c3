"""The commands about events of other products: detect, map."""

from typing import Any

import click

from agents.cli.options import FILES, FORMAT, SOURCE, with_settings
from stream.settings.application import Settings


@click.command("map")
@FILES
@SOURCE
@FORMAT
@with_settings
def map_command(settings: Settings, files: tuple[str, ...], **options: Any) -> int:
    """Show what the records of other products become, without Kafka and Redis: a dry run.

    Prints a line for each event, ignored record or refusal, then the fields that no rule uses.
    With --format json exactly one JSON object a record: {"line": n, "becomes": [events]},
    {"line": n, "ignored": why} or {"line": n, "refused": {"reason": ..., "detail": ...}}. A record
    of several events of which some are refused has both becomes and refused.

    Reads files of lines or a JSON array, also compressed, and the output of kcat -J with key, headers
    and time. NAME.kafka.json beside NAME brings these as well:
    {"key": ..., "headers": {...}, "timestamp": ms}. Where there is no Kafka time and a mapping takes
    it, 2025-03-14T09:04:26.535Z stands for it.

    \b
    Example:    engage map --preset segment events.jsonl
                kcat -C -t web -e -J | engage map --preset posthog -
                engage map --source billing --format json stripe.jsonl | jq .refused

    \b
    Exit codes: 0 every record was mapped or ignored; 1 some were refused, or a file ended early;
                2 a file, an option or the configuration is wrong.
    """
    from agents.mapping.map import run_map

    return run_map(settings, list(files), **options)


@click.command()
@FILES
@FORMAT
@with_settings
def detect(settings: Settings, files: tuple[str, ...], format: str) -> int:  # noqa: ARG001
    """Say which preset the records of files are for, what they would become, and what to look after.

    Every preset is tried. Reads the same files as engage map.

    \b
    Example:    engage detect events.jsonl
                kcat -C -t web -c 1000 -J | engage detect -

    \b
    Exit codes: 0 a preset recognizes records, or they are engagement-stream's own events; 1 none
                does; 2 a file cannot be read.
    """
    from agents.mapping.detect import run_detect

    return run_detect(list(files), format=format)
