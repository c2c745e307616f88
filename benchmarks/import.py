"""Rows per second and peak memory of an import, each size in a process of its own.

    .venv/bin/python -m benchmarks.import            10,000 and 100,000 rows
    .venv/bin/python -m benchmarks.import 5000       other sizes

Prints a table; the memory of the largest file should stay within 20 % of the smallest's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SIZES = (10_000, 100_000)


def main(sizes: tuple[int, ...]) -> None:
    local = Path(os.environ.setdefault("CONTENTOPT_LOCAL", "/tmp/contentopt-benchmark"))  # noqa: S108 (own data folder)
    local.mkdir(exist_ok=True)
    os.environ.setdefault("DEBUG", "true")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "--noinput", "-v", "0"], check=True)
    results = []
    for size in sizes:
        measure = f"from benchmarks.one_import import measure; measure({size})"
        output = subprocess.run(
            [*manage, "shell", "--no-imports", "-c", measure], check=True, capture_output=True, text=True
        )
        results.append(json.loads(output.stdout.splitlines()[-1]))
    print(f"{'rows':>8} {'MB':>6} {'products':>9} {'seconds':>8} {'rows/s':>7} {'idle MB':>8} {'peak MB':>8}")
    for r in results:
        print(
            f"{r['rows']:>8} {r['megabytes']:>6.1f} {r['products']:>9} {r['seconds']:>8.1f} "
            f"{r['rows'] / r['seconds']:>7.0f} {r['idle_mb']:>8.0f} {r['peak_mb']:>8.0f}"
        )
    print(f"peak memory, largest against smallest file: {results[-1]['peak_mb'] / results[0]['peak_mb']:.2f}")


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
