"""`engage demo`: Kafka, Redis, traffic and a worker on this machine, with nothing to install."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

from msgspec.structs import replace
from rich.console import Console
from rich.live import Live

from agents.commands.kafka_clients import Sender
from agents.commands.signals import stop_signals
from agents.simulation.demo_alerts import (
    HOW_TO_GET_IT,
    SPEED,
    DemoPrometheus,
    installed_prometheus,
)
from agents.simulation.demo_view import Summary, as_line, as_table, fetch
from agents.simulation.servers import EmbeddedKafka, EmbeddedRedis, end_process
from agents.simulation.simulate import HISTORY_DAYS, Simulation, simulated_traffic
from agents.simulation.traffic import Trouble
from stream.configure.sources import to_environment
from stream.settings.application import Settings
from stream.settings.connections import KafkaSettings, RedisSettings

SEED = 7
# Sessions end after 20 s without events instead of half an hour, and windows wait for late events
# less long, so that a demonstration shows results soon. Simulated visitors who stay send an event
# every 10 s.
SESSION_TIMEOUT_SECONDS = 20
LATENESS_SECONDS = 10
TERMINAL_REFRESH_SECONDS = 1.0
LINE_REFRESH_SECONDS = 5.0
STARTUP_SECONDS = 60.0
#: Longest wait for the worker's end; its numbers are gone with its Redis anyway.
STOP_SECONDS = 3.0
PORT_TRIES = 20


def run_demo(
    settings: Settings, *, trouble: Trouble | None, rate: float, seconds: float | None
) -> int:
    """Run until Ctrl-C or for `seconds` after start-up; 0, or 1 when the worker failed.

    Raises EmbeddedMissing if the packages of the embedded servers are not installed.
    """
    console = Console()
    with contextlib.ExitStack() as stack:
        # A forced end leaves no processes behind.
        stop = stack.enter_context(stop_signals(last=lambda: stack.pop_all().close()))
        kafka, redis = EmbeddedKafka(), EmbeddedRedis()
        stack.callback(kafka.stop)
        stack.callback(redis.stop)
        bootstrap = kafka.start()
        kafka.create_topics((*settings.topics.inputs, *settings.output_topics))
        port = _free_port(settings.web.host, settings.web.port, console)
        own = _demo_settings(settings, bootstrap, redis.start(), port)
        own = _with_alerts(own, stack, console)
        log = stack.enter_context(
            tempfile.NamedTemporaryFile("w+", suffix=".log", prefix="engage-")
        )
        worker = _start_worker(own, log)
        stack.callback(end_process, worker, STOP_SECONDS)
        sender = Sender(own, embedded=True)
        stack.callback(sender.close)
        _announce(console, own, trouble)
        now_ms = int(time.time() * 1000)
        traffic = simulated_traffic(own, SEED, rate, trouble, now_ms)
        simulation = Simulation(own, traffic, sender, stop)
        simulation.send_history(HISTORY_DAYS, now_ms)
        simulation.start(now_ms)
        stack.callback(simulation.stop)
        return _watch(console, own, worker, simulation, stop, seconds, log)


def _demo_settings(settings: Settings, bootstrap: str, redis_url: str, port: int) -> Settings:
    """Return the user's settings with the embedded servers and the demonstration's short waits."""
    return replace(
        settings,
        kafka=KafkaSettings(bootstrap_servers=bootstrap),
        redis=RedisSettings(url=redis_url),
        web=replace(settings.web, port=port, tls_certfile="", tls_keyfile=""),
        log=replace(settings.log, format="text"),
        session=replace(settings.session, timeout_seconds=SESSION_TIMEOUT_SECONDS),
        time=replace(settings.time, allowed_lateness_seconds=LATENESS_SECONDS),
    )


def _with_alerts(settings: Settings, stack: contextlib.ExitStack, console: Console) -> Settings:
    """Return the settings with a Prometheus for alerts: the user's, or the demonstration's own."""
    if settings.web.prometheus_url:
        return settings
    binary = installed_prometheus()
    if binary is None:
        console.print(HOW_TO_GET_IT, highlight=False, soft_wrap=True)
        return settings
    worker = f"{_own_address(settings.web.host)}:{settings.web.port}"
    own = stack.enter_context(DemoPrometheus(binary, settings, worker))
    console.print(
        f"{own.url}/alerts  the shipped rules about visitors, {SPEED:.0f} times as fast",
        highlight=False,
    )
    return replace(settings, web=replace(settings.web, prometheus_url=own.url))


def _start_worker(settings: Settings, log: IO[str]) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).resolve().parents[2])
    others = {k: v for k, v in os.environ.items() if not k.startswith("ENGAGE_")}
    path = os.pathsep.join(filter(None, (root, others.get("PYTHONPATH"))))
    return subprocess.Popen(
        # -P: a directory `agents` in the working directory must not be run.
        [sys.executable, "-P", "-m", "agents", "worker"],
        env=others | to_environment(settings) | {"PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        # Ctrl-C reaches only this process, which ends the others in order.
        start_new_session=True,
    )


def _announce(console: Console, settings: Settings, trouble: Trouble | None) -> None:
    base = f"http://{_own_address(settings.web.host)}:{settings.web.port}"
    console.print(
        f"{base}/live  ← open this; in a terminal: engage top --url {base}", soft_wrap=True
    )
    for path in ("/metrics", "/healthz", "/readyz"):
        console.print(f"{base}{path}", highlight=False)
    patience = f"{SESSION_TIMEOUT_SECONDS} s of silence (by default 30 min)"
    lines = [f"simulated: {HISTORY_DAYS} days of past, then live; sessions end after {patience}"]
    if trouble:
        kind, wait, length = trouble
        lines.append(f"in {wait:.0f} s the {kind} spike begins, for {length:.0f} s")
    console.print("\n".join(lines), highlight=False, soft_wrap=True)


def _watch(
    console: Console,
    settings: Settings,
    worker: "subprocess.Popen[bytes]",
    simulation: Simulation,
    stop: threading.Event,
    seconds: float | None,
    log: IO[str],
) -> int:
    """Show the numbers until it is time to stop; 1 if worker or traffic ended before."""
    summary, began = Summary(next(iter(settings.sites), "default")), time.monotonic()
    answered: float | None = None
    every = TERMINAL_REFRESH_SECONDS if console.is_terminal else LINE_REFRESH_SECONDS
    live = Live(console=console, auto_refresh=False) if console.is_terminal else None
    with live or contextlib.nullcontext():
        while not stop.wait(0.3 if answered is None else every):
            now = time.monotonic()
            page = fetch(_own_address(settings.web.host), settings.web.port, "/metrics")
            if worker.poll() is not None or simulation.error is not None:
                break
            if page is not None:
                answered = answered or now
                rows = summary.read(page, now)
                if live is not None:
                    live.update(as_table(rows, "live · Ctrl-C ends it"), refresh=True)
                else:
                    console.print(as_line(rows), highlight=False, soft_wrap=True)
            elif answered is not None:
                console.print("the worker did not answer in time", highlight=False)
            elif now - began > STARTUP_SECONDS:
                break
            if seconds is not None and answered is not None and now - answered >= seconds:
                return 0
    return 0 if stop.is_set() else _explain(console, worker, simulation, log)


def _explain(
    console: Console, worker: "subprocess.Popen[bytes]", simulation: Simulation, log: IO[str]
) -> int:
    if simulation.error is not None:
        console.print(f"the traffic stopped: {simulation.error}", markup=False)
    state = worker.poll()
    gone = f"ended with exit code {state}" if state is not None else "does not answer"
    console.print(f"the worker {gone}; the end of its log:")
    log.seek(0)
    console.print("".join(log.readlines()[-15:]), markup=False, highlight=False, soft_wrap=True)
    return 1


def _own_address(host: str) -> str:
    """Address at which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104  reads it, binds nothing


def _free_port(host: str, port: int, console: Console) -> int:
    """Return `port`, or the next free one after a message."""
    for candidate in range(port, min(port + PORT_TRIES, 65_536)):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe, contextlib.suppress(OSError):
            # Like the worker: a port that was just given up can be taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, candidate))
            if candidate != port:
                console.print(f"port {port} is in use; taking {candidate}")
            return candidate
    raise OSError(f"ports {port} to {port + PORT_TRIES - 1} of {host} are all in use; set web.port")
