"""Replays a folder of much mixed log and measures memory and progress. Standard library only, Linux only.

python3 large.py ROLEWATCH FOLDER [GIBIBYTES]; the folder is made where it is missing, half of its text in gzip.
"""

import fcntl
import gzip
import json
import os
import pty
import re
import struct
import sys
import termios
import threading
import time

SAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../samples/recorded")
FILE_BYTES = 32 << 20
ALERT_EVERY = 50_000
PROGRESS = re.compile(r"([\d.]+) (B|KiB|MiB|GiB) of ([\d.]+) (B|KiB|MiB|GiB) .*? ([\d,]+) lines")
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def events():
    """Lines without end: the recorded noise again and again, each with an audit ID and a time of its own."""
    with open(os.path.join(SAMPLES, "quiet-cluster/audit.ndjson"), encoding="utf-8") as file:
        noise = [line.strip() for line in file if line.strip()]
    with open(os.path.join(SAMPLES, "cluster-admin-for-a-person/audit.ndjson"), encoding="utf-8") as file:
        signal = next(line.strip() for line in file if '"nina-temp-admin"' in line and '"verb":"create"' in line)
    # Cut at the audit ID, so that a new one is all that a line costs.
    noise, signal = [line.split(json.loads(line)["auditID"]) for line in noise], signal.split(json.loads(signal)["auditID"])
    number = 0
    while True:
        for parts in noise + [signal] if number % ALERT_EVERY < len(noise) else noise:
            number += 1
            yield f"{number:08x}-0000-4000-8000-{number:012x}".join(parts) + "\n"


def make(folder, size):
    source, made, number = events(), 0, 0
    while made < size:
        place = os.path.join(folder, f"2026/03/{1 + number // 24:02}/{number % 24:02}")
        os.makedirs(place, exist_ok=True)
        path = os.path.join(place, "audit.ndjson" + (".gz" if number % 2 else ""))
        with gzip.open(path, "wb", 1) if number % 2 else open(path, "wb") as file:
            held = 0
            while held < FILE_BYTES:
                piece = "".join(next(source) for _ in range(1000)).encode()
                file.write(piece)
                held += len(piece)
        made, number = made + held, number + 1


def sizes(folder):
    for path, _, names in os.walk(folder):
        for name in names:
            yield os.path.getsize(os.path.join(path, name))


def watch(pid, samples, done):
    while not done.is_set():
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                fields = dict(line.split(":", 1) for line in file)
            samples.append((time.monotonic(), int(fields["VmRSS"].split()[0]) << 10))
        except (OSError, KeyError):
            return
        time.sleep(0.05)


def replay(binary, folder):
    start = time.monotonic()
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 160, 0, 0))
        os.execv(binary, [binary, "replay", "--min-severity", "critical", "--color", "never", folder])
    samples, done, text, shown = [], threading.Event(), b"", []
    watcher = threading.Thread(target=watch, args=(pid, samples, done))
    watcher.start()
    try:
        while data := os.read(terminal, 1 << 16):
            text += data
            for found in PROGRESS.finditer(data.decode(errors="replace")):
                at, unit, total, total_unit, lines = found.groups()
                shown.append((float(at) * UNITS[unit], float(total) * UNITS[total_unit], int(lines.replace(",", "")), time.monotonic()))
    except OSError:
        pass
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    done.set()
    watcher.join()
    return status, time.monotonic() - start, start, samples, shown, text.decode(errors="replace")


def main():
    binary, folder = sys.argv[1:3]
    if not os.path.isdir(folder):
        make(folder, int(float(sys.argv[3] if len(sys.argv) > 3 else 2) * (1 << 30)))
    stored = sum(sizes(folder))
    status, seconds, start, samples, shown, text = replay(binary, folder)
    lines = int(re.search(r"lines +([\d,]+)", text.rsplit("Summary", 1)[1]).group(1).replace(",", ""))
    tenth = [memory for when, memory in samples if when - start < seconds / 10]
    rest = [memory for when, memory in samples if when - start >= seconds / 10]
    assert status == 0, text[-2000:]
    assert shown and all(abs(total / stored - 1) < 0.01 for _, total, _, _ in shown), "the total is the folder's size"
    assert all(one[0] <= two[0] and one[2] <= two[2] for one, two in zip(shown, shown[1:])), "progress never goes back"
    assert shown[-1][0] / stored > 0.97 and shown[-1][2] / lines > 0.95, "progress ends where the folder does"
    # How far the shown share of the bytes is from the share of the time, at worst.
    off = max(abs(at / stored - (when - start) / seconds) for at, _, _, when in shown)
    print(f"| {stored / 2**30:.2f} GiB on disk, {lines:,} lines, {len(list(sizes(folder)))} files | {seconds:.1f} s | {lines / seconds:,.0f} lines/s | "
          f"{max(tenth) / 2**20:.1f} MiB in the first tenth, {max(rest) / 2**20:.1f} MiB after | {off:.0%} at most |")


if __name__ == "__main__":
    main()
