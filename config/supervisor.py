"""Runs several processes as one: started together, logged together, ended together.

Each has a session of its own, so that a Ctrl-C reaches only the supervisor, and is tied to the
supervisor's death, so that nothing is left behind even by `kill -9`.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self, TextIO

TIED = Path(__file__).with_name("tied.py")
PATIENCE = 7.0  # seconds for an orderly end; then the processes are killed
LAST_PORT = 65535
COLOURS = ("36", "35", "33", "32", "34")


class DidNotStart(Exception):
    """A process ended by itself, or took too long before it was ready."""


class Stopped(Exception):
    """Somebody asked for the end: Ctrl-C or SIGTERM."""


@dataclass
class Process:
    """One child: its name, its command, and what it needs in its environment."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    popen: "subprocess.Popen[str] | None" = None
    lines: list[str] = field(default_factory=list)  # the first ones, for whoever waits for them

    @property
    def has_ended(self) -> bool:
        return self.popen is None or self.popen.poll() is not None


class Supervisor:
    """A context: processes that are started inside have ended when it is left."""

    def __init__(self, *, output: TextIO | None = None, patience: float = PATIENCE) -> None:
        self.processes: list[Process] = []
        self._output = output or sys.stderr
        self._patience = patience
        self._printing = threading.Lock()

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        signal.signal(signal.SIGINT, _stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, process: Process) -> Process:
        """Start one process and pass on what it prints, each line with the name before it."""
        process.popen = subprocess.Popen(  # noqa: S603  # the commands are our own
            [sys.executable, str(TIED), str(os.getpid()), *process.command],
            env={**os.environ, **process.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.processes.append(process)
        colour = COLOURS[(len(self.processes) - 1) % len(COLOURS)]
        threading.Thread(target=self._pass_on, args=(process, colour), daemon=True).start()
        return process

    def _pass_on(self, process: Process, colour: str) -> None:
        name = f"{process.name:>8} │ "
        prefix = f"\x1b[{colour}m{name}\x1b[0m" if self._output.isatty() else name
        if process.popen is None or process.popen.stdout is None:
            return
        for line in filter(None, map(str.rstrip, process.popen.stdout)):
            if len(process.lines) < 200:
                process.lines.append(line)
            with self._printing:
                print(prefix + line, file=self._output, flush=True)

    def wait_until(self, process: Process, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until a process is ready. Raises DidNotStart."""
        deadline = time.monotonic() + seconds
        while not ready():
            if process.has_ended:
                raise DidNotStart(f"{process.name} ended while it started; see its lines above.")
            if time.monotonic() > deadline:
                raise DidNotStart(f"{process.name} was not ready within {seconds:.0f} seconds.")
            time.sleep(0.05)

    def require_all(self) -> None:
        """Raises DidNotStart if one of the processes has ended."""
        for process in self.processes:
            if process.has_ended:
                raise DidNotStart(f"{process.name} ended by itself; see its lines above.")

    def watch(self) -> NoReturn:
        """Wait until one of the processes ends. Raises DidNotStart then."""
        while True:
            self.require_all()
            time.sleep(0.2)

    def stop(self) -> None:
        """End all, the last started first; kill what has not ended in time."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for process in reversed(self.processes):
            if process.popen is not None and process.popen.poll() is None:
                process.popen.terminate()
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline and not all(p.has_ended for p in self.processes):
            time.sleep(0.05)
        for process in self.processes:
            _kill_session(process)


def _kill_session(process: Process) -> None:
    """Kill what is left of a process and of the children in its session."""
    if process.popen is None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.popen.pid, signal.SIGKILL)
    process.popen.wait()


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped(signal.Signals(number).name)


def answers(port: int) -> bool:
    """Whether something on this machine listens on this port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def port_number(text: str) -> int:
    """A port as one types it, for argparse."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 0 < number <= LAST_PORT:
        raise ArgumentTypeError(f"{text!r} is no port; ports are from 1 to {LAST_PORT}.")
    return number


def free_port(first: int) -> int:
    """The first port from `first` on that nobody uses. Raises DidNotStart after 100 busy ones."""
    last = min(first + 99, LAST_PORT)
    for port in range(first, last + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DidNotStart(f"No port from {first} to {last} can be used; choose others with --port.")
