"""`python -m contentopt.engines keep|status|stop …`: the keeper's entry, and two commands for people."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from subprocess import SubprocessError

from contentopt import engines
from contentopt.engines.engine import Engine, EnginesError
from contentopt.engines.keeper import keep
from contentopt.engines.postgres import Postgres
from contentopt.engines.valkey import Valkey

ENGINES: dict[str, type[Engine]] = {"postgres": Postgres, "valkey": Valkey}


def main() -> None:
    arguments = _parser().parse_args()
    if arguments.command == "keep":
        _launch(ENGINES[arguments.engine](arguments.local, durable=not arguments.fast))
    elif arguments.command == "stop":
        engines.stop(arguments.local)
    else:
        for state in engines.status(arguments.local):
            print(f"{state.name}: {f'running on port {state.port}' if state.running else 'not running'}")  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m contentopt.engines")
    commands = parser.add_subparsers(dest="command", required=True)
    keeper = commands.add_parser("keep", help="start an engine and keep it while anybody holds it")
    keeper.add_argument("engine", choices=ENGINES)
    keeper.add_argument("local", type=Path)
    keeper.add_argument("--fast", action="store_true", help="not safe against power cuts")
    for name in ("status", "stop"):
        commands.add_parser(name).add_argument("local", type=Path)
    return parser


def _launch(engine: Engine) -> None:
    """Leave a detached keeper behind. This process ends when the engine answers; its exit says why if it does not."""
    engine.make_folders()
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        with os.fdopen(reader) as pipe:
            sys.exit(pipe.read() or None)
    os.close(reader)
    os.setsid()
    _redirect(engine.log_path)
    with os.fdopen(writer, "w") as pipe:
        try:
            keep(engine, pipe.close)
        except (EnginesError, OSError, SubprocessError) as error:
            # Before the engine was announced, the launcher says it; after, nobody listens.
            print(f"{engine.name}: {error}", file=sys.stderr if pipe.closed else pipe)


def _redirect(log_path: Path) -> None:
    with open(os.devnull, "rb") as nothing, log_path.open("ab") as log:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


if __name__ == "__main__":
    main()
