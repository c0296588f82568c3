"""Builds the Faust app that reads the input topics, without Faust's tables, web server and pages."""

import os
from pathlib import Path
from tempfile import gettempdir

import faust

from stream.kafka.options import bootstrap_servers, faust_credentials, forbid_topic_creation
from stream.kafka.transport import SCHEME, Assignor, register_transport
from stream.settings.application import Settings


def faust_app(settings: Settings) -> faust.App:
    """Return an app that reads through our transport and connects when it is started."""
    register_transport()
    forbid_topic_creation()
    kafka = settings.kafka
    return faust.App(
        settings.consumer_group,
        broker=";".join(f"{SCHEME}://{server}" for server in bootstrap_servers(settings)),
        broker_credentials=faust_credentials(settings),
        broker_session_timeout=kafka.session_timeout_seconds,
        broker_heartbeat_interval=kafka.heartbeat_seconds,
        consumer_max_fetch_size=kafka.max_partition_fetch_bytes,
        consumer_auto_offset_reset="earliest",
        # A positive number makes Faust use its own assignor, which keeps the partition numbers of
        # the topics together. There are no tables, so no standby is ever made.
        table_standby_replicas=1,
        PartitionAssignor=Assignor,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        web_enabled=False,
        value_serializer="raw",
        key_serializer="raw",
        store="memory://",
        datadir=Path(gettempdir()) / f"engagement-{os.getpid()}",
        autodiscover=False,
    )
