#!/usr/bin/env python3
"""Mouth to ear between real daemons on loopback: how much later the callee's loudspeaker plays what the caller's microphone took.

    bench/mouth_to_ear.py [--linnet build/release/linnet] [--trials 40] [--json]

Two ways: 20 ms frames, and 10 ms frames with a small jitter buffer (`up --low-delay`). A trial is a call of two and a half seconds in which
the caller speaks a file of chirps; its figure is the median of the chirps' delays once the call has settled. Files stand in for the
devices: they are read and written in blocks of 10 ms, of which one, the device's own, is taken off. The targets also leave out the time in
which a frame of voice is gathered before it can be encoded; printed are both, with and without it. The load is printed with them: a busy
machine keeps the daemons waiting. Four minutes for forty trials each. Standard library only. It ends only what it started.
"""
import argparse
import array
import json
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import wave

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from first_call import Node, percentile  # noqa: E402

RATE = 48000
SLOW = 16000  # at which the chirps are looked for
EVERY, FIRST, COUNT, LENGTH = 0.2, 1.0, 5, 0.03  # seconds
BLOCK_MS = 10


def chirp():
    n = int(LENGTH * RATE)
    out = []
    for i in range(n):
        t = i / RATE
        edge = math.sin(math.pi * i / n)
        out.append(int(9000 * edge * math.sin(2 * math.pi * (500 * t + (2500 - 500) * t * t / (2 * LENGTH)))))
    return out


def write_said(path):
    samples = array.array("h", bytes(2 * int(2.2 * RATE)))
    for k in range(COUNT):
        at = int((FIRST + k * EVERY) * RATE)
        samples[at:at + int(LENGTH * RATE)] = array.array("h", chirp())
    with wave.open(str(path), "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(RATE)
        f.writeframes(samples.tobytes())


def read_slow(path):
    with wave.open(str(path), "rb") as f:
        if f.getnchannels() != 1 or f.getsampwidth() != 2 or f.getframerate() != RATE:
            raise SystemExit(f"{path}: not what was expected of a recording")
        samples = array.array("h", f.readframes(f.getnframes()))
    return [sum(samples[i:i + 3]) / 3 for i in range(0, len(samples) - 2, 3)]


def find(pattern, heard, first, last):
    """Where in heard[first:last] the pattern begins, in samples; None: it is not there."""
    own = math.sqrt(sum(x * x for x in pattern))
    best, at = 0.0, None
    for lag in range(max(first, 0), min(last, len(heard) - len(pattern))):
        part = heard[lag:lag + len(pattern)]
        dot = sum(a * b for a, b in zip(pattern, part))
        if dot <= best * own:
            continue
        norm = math.sqrt(sum(x * x for x in part))
        if norm > own / 10 and dot / norm > best:
            best, at = dot / norm, lag
    return at if best > 0.6 * own else None


def delays(heard, offset_ms):
    """Of each chirp: from the caller's microphone to the callee's loudspeaker, ms."""
    pattern = chirp()
    pattern = [sum(pattern[i:i + 3]) / 3 for i in range(0, len(pattern) - 2, 3)]
    out = []
    for k in range(1, COUNT):
        said_ms = (FIRST + k * EVERY) * 1000
        due = int((said_ms - offset_ms) * SLOW / 1000)
        at = find(pattern, heard, due, due + int(0.15 * SLOW))
        if at is not None:
            out.append(at * 1000 / SLOW - said_ms + offset_ms)
    return out


def run_trials(program, trials, flags):
    root = pathlib.Path(tempfile.mkdtemp(prefix="linnet-mouth-to-ear-"))
    nodes, out, failed = [], [], 0
    try:
        home = Node(program, root, "s0", "s0@demo.example")
        nodes.append(home)
        home.wait_online(home.up("--relay", "on"))
        bootstrap = ["--bootstrap", home.status()["listen"][0]]
        said, heard = root / "said.wav", root / "heard.wav"
        write_said(said)
        alice, bob = Node(program, root, "alice", "alice@demo.example"), Node(program, root, "bob", "bob@demo.example")
        nodes += [alice, bob]
        alice.wait_online(alice.up("--relay", "off", *bootstrap, *flags))
        bob.wait_online(bob.up("--relay", "off", *bootstrap, *flags, "--auto-answer", "--record", str(heard)))
        for _ in range(trials):
            call = alice.run("call", "bob@demo.example", "--play", str(said), "--record", str(root / "none.wav"), "--duration", "2.3", "--json")
            ours = json.loads(call.stdout.strip().splitlines()[-1])
            theirs = last_row(bob)
            found = []
            recorded = sorted(root.glob("heard*.wav"))
            if recorded and ours["record_start_us"] and theirs["play_start_us"]:
                found = delays(read_slow(recorded[0]), (theirs["play_start_us"] - ours["record_start_us"]) / 1000)
            for file in [*recorded, *root.glob("none*.wav")]:
                file.unlink()
            if found:
                out.append(statistics.median(found))
            else:
                failed += 1
        return out, failed
    finally:
        for node in reversed(nodes):
            node.down()
        shutil.rmtree(root, ignore_errors=True)


def last_row(node):
    """The callee's side of the call, which ends a moment after the caller's."""
    for line in watch(node):
        if not line["calls"]:
            break
    rows = json.loads(node.run("log", "--json", "--rows", "1").stdout.strip().splitlines()[-1])
    return rows.get("summary", rows)


def watch(node):
    program = subprocess.Popen([node.program, "--home", str(node.home), "status", "--json", "--watch"], stdout=subprocess.PIPE, text=True)
    try:
        for line in program.stdout:
            yield json.loads(line)
    finally:
        program.terminate()
        program.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--linnet", default="build/release/linnet")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    program = str(pathlib.Path(args.linnet).resolve())
    reached = True
    for frame_ms, bar, flags in ((20, 36, []), (10, 25, ["--low-delay"])):
        values, failed = run_trials(program, args.trials, flags)
        if not values:
            raise SystemExit(f"{frame_ms} ms frames: in none of {failed} calls were the chirps heard")
        values = [v - BLOCK_MS for v in values]
        row = {"schema": 1, "frame_ms": frame_ms, "trials": len(values), "failed": failed, "load": round(os.getloadavg()[0], 1),
               "p50_ms": round(percentile(values, .5), 1), "p95_ms": round(percentile(values, .95), 1), "max_ms": round(max(values), 1),
               "p95_without_frame_ms": round(percentile(values, .95) - frame_ms, 1), "bar_ms": bar}
        reached = reached and failed == 0 and row["p95_ms"] <= bar
        if args.json:
            print(json.dumps(row), flush=True)
        else:
            print(f"{frame_ms} ms frames: p50 {row['p50_ms']} ms, p95 {row['p95_ms']} ms, most {row['max_ms']} ms (asked of p95: {bar}), "
                  f"{row['p95_without_frame_ms']} ms at p95 without the frame; {row['trials']} calls, {failed} not heard, load {row['load']}", flush=True)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
