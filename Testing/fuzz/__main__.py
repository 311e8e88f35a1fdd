"""python -m Testing.fuzz --count 20000 --seed 0 --out benchmarks/robustness.md"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import takewhile
from pathlib import Path

from Testing.fuzz import page
from Testing.fuzz.cases import SECONDS, Cases, Found

ROOT = Path(__file__).parents[2]
STARTING = 120  # seconds that a process may take to start


def main() -> int:
    """Run cases in processes of their own; returns 1 where one of them was bad."""
    parser = argparse.ArgumentParser(prog="python -m Testing.fuzz")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--begin", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no case after that")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        with suppress(KeyboardInterrupt):
            work(options.begin, options.count, options.seed)
        return 0
    until = time.monotonic() + 60 * options.minutes
    cases = all_found(options.begin, options.count, options.seed)
    found = list(told(takewhile(lambda _: time.monotonic() < until, cases)))
    cases.close()
    if options.out is not None:
        page.store(options.out, "fuzz", page.counted(found, options.seed))
    bad = [one for one in found if one.bad]
    print(f"{len(found)} cases, {len(bad)} bad")
    return 1 if bad else 0


def told(found: Iterator[Found]) -> Iterator[Found]:
    """Bad ones are printed as they come."""
    for one in found:
        if one.bad:
            print(json.dumps(asdict(one)), flush=True)
        yield one


WORKER = (sys.executable, "-m", "Testing.fuzz")


def all_found(begin: int, count: int, seed: int, worker: Sequence[str] = WORKER) -> Generator[Found, None, None]:
    """What comes of each case; a process that a case ends is followed by another."""
    number, end, names = begin, begin + count, []
    while number < end:
        asked = [*worker, f"--begin={number}", f"--count={end - number}", f"--seed={seed}", "--work"]
        with subprocess.Popen(asked, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    said = json.loads(line)
                    if "names" in said:
                        names = said["names"]
                        continue
                    yield Found(**said)
                    number += 1
            except GeneratorExit:
                process.terminate()
                raise
        if number < end:
            if not names:
                raise RuntimeError(f"no process could be started: it ended with {process.returncode}")
            stopped = "hang" if process.returncode == -signal.SIGALRM else f"signal {-process.returncode}"
            yield Found(number, names[number % len(names)], stopped)
            number += 1


def work(begin: int, count: int, seed: int) -> None:
    """Run cases in this process, which a case that takes too long, or too much memory, ends."""
    import resource

    signal.alarm(STARTING)
    out = sys.stdout
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        cases = Cases(Path(folder), seed)
        cases.run(begin)  # what is imported at first is no memory of a case
        resource.setrlimit(resource.RLIMIT_AS, (resident() + (6 << 30), resource.RLIM_INFINITY))
        print(json.dumps({"names": cases.names}), file=out, flush=True)
        for number in range(begin, begin + count):
            signal.alarm(SECONDS)
            print(json.dumps(asdict(cases.run(number))), file=out, flush=True)
        signal.alarm(0)


def resident() -> int:
    """Bytes of addresses that this process has."""
    from Testing.fuzz.cases import _status

    return int(_status("VmSize"))


if __name__ == "__main__":
    sys.exit(main())
