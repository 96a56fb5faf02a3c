#!/usr/bin/env python3
"""Runs commands in turns and prints a table of what each of them cost.

Every case runs once in every round, so that two cases of one round met the same machine. Ratios are taken
inside a round and the median of them is printed, never a ratio of two medians. Every second round runs in
reverse order, which cancels a drift (a disk that slows down, a core that heats up) and the advantage of coming second.

scripts/bench/run is the caller; README.md beside this file says what the figures mean.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

MIB = 1024 * 1024
MB = 1_000_000
CASE_LIMIT_SECONDS = 1800  # a case that hangs must not hang the bench; gzip needs 25 s for 500 MB


@dataclass
class Round:
    """What one run of one case cost."""

    wall: float
    cpu: float
    server_cpu: float
    peak: int  # bytes, the largest single process
    stored: int  # bytes left in the output folder


@dataclass
class Case:
    """One row of the table."""

    name: str
    command: str
    before: str = ""
    after: str = ""
    rounds: list[Round] = field(default_factory=list)
    failure: str = ""


class Failed(Exception):
    """A command that did not end with status 0, or not in time."""


def gnu_time() -> str:
    """The path of GNU time, or "" where it is not installed."""
    path = shutil.which("time")
    if path:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if "GNU" in said.stdout + said.stderr:
            return path
    return ""


def server_cpu_seconds(postmaster: int) -> float:
    """The CPU time that a PostgreSQL server has used: the postmaster, its ended children, its living ones.

    A backend that ends moves its time into the postmaster's sum of ended children, so the total never shrinks.
    """
    if not postmaster:
        return 0.0
    ticks = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_text()
        except OSError:
            continue  # it ended between the listing and the reading
        words = stat[stat.rindex(")") + 2 :].split()
        if int(entry) == postmaster or int(words[1]) == postmaster:
            ticks += sum(int(word) for word in words[11:15])  # utime stime cutime cstime
    return ticks / os.sysconf("SC_CLK_TCK")


def folder_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


class Runner:
    """Runs shell commands, each in a process group of its own that can be ended as a whole."""

    def __init__(self, postmaster: int):
        self.postmaster = postmaster
        self.time = gnu_time()
        self.group = 0

    def end(self, child: subprocess.Popen) -> None:
        """Ends the whole group: asks, and after ten seconds does not ask."""
        try:
            os.killpg(self.group, signal.SIGTERM)
            for _ in range(100):
                child.poll()
                os.killpg(self.group, 0)  # raises when nobody is left
                time.sleep(0.1)
            os.killpg(self.group, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def run(self, command: str) -> Round:
        # Linux counts the memory of the process that forked as the child's own peak: without GNU time in between,
        # every peak would be at least Python's.
        shell = ["bash", "-c", f"set -eo pipefail\n{command}"]
        with tempfile.NamedTemporaryFile("r") as peak_file, tempfile.TemporaryFile("w+") as stderr:
            argv = [self.time, "-o", peak_file.name, "-f", "%M", *shell] if self.time else shell
            server_before = server_cpu_seconds(self.postmaster)
            begun = time.perf_counter()
            child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True
            )
            self.group = child.pid
            signal.alarm(CASE_LIMIT_SECONDS)
            try:
                _, status, usage = os.wait4(child.pid, 0)
            except BaseException:
                signal.alarm(0)
                self.end(child)
                raise
            finally:
                signal.alarm(0)
                self.group = 0
            wall = time.perf_counter() - begun
            child.returncode = os.waitstatus_to_exitcode(status)
            server = server_cpu_seconds(self.postmaster) - server_before
            if child.returncode != 0:
                stderr.seek(0)
                said = [line for line in stderr.read().splitlines() if line.strip()]
                raise Failed(f"status {child.returncode}: {' / '.join(said[-3:]) or 'it said nothing'}")
            kib = int(peak_file.read().split()[-1]) if self.time else usage.ru_maxrss
        return Round(wall, usage.ru_utime + usage.ru_stime, server, kib * 1024, 0)

    def step(self, name: str, command: str) -> None:
        if command:
            try:
                self.run(command)
            except Failed as error:
                raise Failed(f"{name}: {error}") from None


def measure(runner: Runner, case: Case, out: Path, counted: bool) -> None:
    try:
        empty(out)
        runner.step("before", case.before)
        os.sync()  # what the last case left for the disk is not this one's to wait for
        cost = runner.run(case.command)
        cost.stored = folder_bytes(out)
        runner.step("after", case.after)
    except Failed as error:
        case.failure = str(error)
        return
    if counted:
        case.rounds.append(cost)


def in_rounds(runner: Runner, cases: list[Case], out: Path, rounds: int, verbose: bool) -> None:
    caller = os.getppid()
    for number in range(rounds + 1):  # the first one warms the caches up and is not counted
        turn = cases if number % 2 == 0 else cases[::-1]
        for case in turn:
            if os.getppid() != caller:
                sys.exit("measure.py: the bench that started this was killed")
            if case.failure:
                continue
            if verbose:
                name = "warm-up" if number == 0 else f"round {number} of {rounds}"
                print(f"\r\033[K{name}: {case.name}", end="", file=sys.stderr, flush=True)
            measure(runner, case, out, counted=number > 0)
    if verbose:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    empty(out)


def middle(case: Case, what: str) -> float:
    return median(getattr(each, what) for each in case.rounds)


def ratios(case: Case, base: Case, what: str) -> list[float]:
    return [
        getattr(own, what) / max(getattr(other, what), 1e-9) for own, other in zip(case.rounds, base.rounds, strict=True)
    ]


def print_table(cases: list[Case], limit: Case, stored: bool, server: bool) -> None:
    head = ["", "wall s", "fastest", "slowest", "ratio", "CPU s"]
    head += ["server CPU s"] if server else []
    head += ["peak MiB"] + (["stored MB"] if stored else [])
    rows = [head]
    for case in cases:
        if case.failure:
            continue
        walls = [each.wall for each in case.rounds]
        ratio = f"{median(ratios(case, limit, 'wall')):.2f}" if limit.rounds else "-"
        row = [case.name, f"{median(walls):.2f}", f"{min(walls):.2f}", f"{max(walls):.2f}", ratio]
        row += [f"{middle(case, 'cpu'):.2f}"]
        row += [f"{middle(case, 'server_cpu'):.2f}"] if server else []
        row += [f"{middle(case, 'peak') / MIB:.1f}"]
        row += [f"{middle(case, 'stored') / MB:.1f}"] if stored else []
        rows.append(row)
    print_rows(rows)
    for case in cases:
        if case.failure:
            print(f"  {case.name}: FAILED, {case.failure}")


def print_rows(rows: list[list[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())


def verdict(got: float, most: float) -> str:
    return "ok" if got <= most else "MISSED"


def reached(args: argparse.Namespace, cases: dict[str, Case]) -> list[str]:
    """One line a target: what it compares, what is to be reached, what was got."""
    lines = []

    def line(what: str, most: str, got: str, word: str) -> None:
        lines.append(f"{what:<62}  reach {most:>6}  got {got:>6}  {word}")

    def usable(*names: str) -> bool:
        return all(name in cases and cases[name].rounds and not cases[name].failure for name in names)

    for what, targets in (("wall", args.reach), ("stored", args.reach_stored)):
        word = "time" if what == "wall" else "bytes"
        for name, base, most in targets:
            label = f"{name}: {word} / {base}"
            if not usable(name, base):
                line(label, most, "-", "not measured")
                continue
            each = ratios(cases[name], cases[base], what)
            got = median(each)
            spread = f"  ({min(each):.2f} to {max(each):.2f})" if what == "wall" else ""
            line(label, f"{float(most):.2f}", f"{got:.2f}", verdict(got, float(most)) + spread)
    for name, most in args.reach_peak:
        if usable(name):
            got = max(each.peak for each in cases[name].rounds) / MIB
            line(f"{name}: highest peak MiB", most, f"{got:.0f}", verdict(got, float(most)))
        else:
            line(f"{name}: highest peak MiB", most, "-", "not measured")
    return lines


def starts(args: argparse.Namespace) -> list[str]:
    """Times many starts of each program, without a shell in between. Returns the target's lines."""
    times: dict[str, list[float]] = {}
    argvs = {name: command.split("\t") for name, command in args.case}
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    for number in range(args.rounds + 5):  # the first five warm up
        for name, argv in argvs.items():
            begun = time.perf_counter()
            pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=quiet)
            _, status = os.waitpid(pid, 0)
            took = (time.perf_counter() - begun) * 1000
            if status != 0:
                sys.exit(f"measure.py: {' '.join(argv)}: status {os.waitstatus_to_exitcode(status)}")
            if number >= 5:
                times.setdefault(name, []).append(took)
    rows = [["", "median ms", "fastest", "slowest"]]
    rows += [[name, f"{median(each):.2f}", f"{min(each):.2f}", f"{max(each):.2f}"] for name, each in times.items()]
    print_rows(rows)
    lines = []
    for name, most in args.reach_ms:
        got = median(times[name])
        lines.append(f"{name + ': ms':<62}  reach {most:>6}  got {got:>6.2f}  {verdict(got, float(most))}")
    return lines


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    pairs = {"nargs": 2, "action": "append", "default": []}
    triples = {"nargs": 3, "action": "append", "default": []}
    parser.add_argument("--title", required=True)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds, after one that is not")
    parser.add_argument("--out", type=Path, help="the folder that is emptied before every run and weighed after it")
    parser.add_argument("--no-stored", action="store_true", help="the output folder's size says nothing here")
    parser.add_argument("--server", type=int, default=0, help="pid of the postmaster whose CPU time is to be shown")
    parser.add_argument("--case", metavar=("NAME", "COMMAND"), **pairs)
    parser.add_argument("--before", metavar=("NAME", "COMMAND"), help="run untimed before the case", **pairs)
    parser.add_argument("--after", metavar=("NAME", "COMMAND"), help="checks what the case did, untimed", **pairs)
    parser.add_argument("--reach", metavar=("NAME", "BASE", "RATIO"), help="of wall time", **triples)
    parser.add_argument("--reach-stored", metavar=("NAME", "BASE", "RATIO"), **triples)
    parser.add_argument("--reach-peak", metavar=("NAME", "MIB"), **pairs)
    parser.add_argument("--reach-ms", metavar=("NAME", "MS"), **pairs)
    parser.add_argument("--starts", action="store_true", help="time starts; a COMMAND is an argv parted by tabs")
    parser.add_argument("--rounds-to", type=Path, help="append every counted run to this file")
    parser.add_argument("--reach-to", type=Path, help="append the targets' lines to this file")
    return parser.parse_args()


def stop(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def too_long(_number: int, _frame: object) -> None:
    raise Failed(f"it ran longer than {CASE_LIMIT_SECONDS} s")


def main() -> int:
    args = arguments()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGALRM, too_long)
    print(f"\n{args.title}")
    failed = False
    if args.starts:
        print(f"  {args.rounds} starts of each, in turns")
        lines = starts(args)
    else:
        before, after = dict(args.before), dict(args.after)
        cases = [Case(name, command, before.get(name, ""), after.get(name, "")) for name, command in args.case]
        runner = Runner(args.server)
        print(f"  medians of {args.rounds} rounds in turns; ratio: the median of wall time / {cases[0].name}, pair by pair")
        in_rounds(runner, cases, args.out, args.rounds, verbose=sys.stderr.isatty())
        print_table(cases, cases[0], not args.no_stored, bool(args.server))
        if not runner.time:
            print("  GNU time is not installed: no peak is shown below this script's own memory")
        lines = reached(args, {case.name: case for case in cases})
        failed = any(case.failure for case in cases)
        if args.rounds_to:
            with args.rounds_to.open("a") as file:
                for case in cases:
                    for number, each in enumerate(case.rounds, 1):
                        file.write(
                            f"{args.title}\t{case.name}\t{number}\t{each.wall:.4f}\t{each.cpu:.4f}"
                            f"\t{each.server_cpu:.2f}\t{each.peak}\t{each.stored}\n"
                        )
    for line in lines:
        print(f"  {line}")
    if args.reach_to and lines:
        with args.reach_to.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
