#!/usr/bin/env python3
"""Figures of the first call, with five real daemons on loopback: three supernodes, alice, bob.

    bench/first_call.py [--linnet build/release/linnet] [--calls 200] [--json]

Prints dial to ringback (command to 180, --cold) p50 and p99, and the time from `up` to online (stored and findable) from nothing and
from the host cache. Standard library only. It ends only processes it started.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time


def percentile(values, p):
    values = sorted(values)
    return values[min(int(p * len(values)), len(values) - 1)]


class Node:
    def __init__(self, program, root, name, address):
        self.program, self.home, self.name, self.address = program, root / name, name, address
        self.run("id", "new", address)

    def run(self, *args, timeout=60, check=True):
        r = subprocess.run([self.program, "--home", str(self.home), *args], capture_output=True, text=True, timeout=timeout)
        if check and r.returncode != 0:
            raise SystemExit(f"{self.name}: linnet {' '.join(args)} ended with {r.returncode}: {r.stderr}{r.stdout}")
        return r

    def up(self, *args):
        started = time.monotonic()
        self.run("up", "--listen", "127.0.0.1:0", "--lan", "off", *args)
        return started

    def status(self):
        return json.loads(self.run("status", "--json").stdout)

    def wait_online(self, since):
        watch = subprocess.Popen([self.program, "--home", str(self.home), "status", "--json", "--watch"], stdout=subprocess.PIPE, text=True)
        try:
            for line in watch.stdout:
                if json.loads(line)["state"] == "online":
                    return (time.monotonic() - since) * 1000
        finally:
            watch.terminate()
            watch.wait()
        raise SystemExit(f"{self.name}: the watch ended before the node was online")

    def down(self):
        self.run("down", check=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--linnet", default="build/release/linnet")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--starts", type=int, default=20, help="how often online is timed")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    program = str(pathlib.Path(args.linnet).resolve())
    root = pathlib.Path(tempfile.mkdtemp(prefix="linnet-first-call-"))
    nodes = []
    try:
        endpoints = []
        for i in range(3):
            node = Node(program, root, f"s{i}", f"s{i}@demo.example")
            nodes.append(node)
            since = node.up("--relay", "on", *[x for e in endpoints for x in ("--bootstrap", e)])
            node.wait_online(since)
            endpoints.append(node.status()["listen"][0])
        bootstrap = [x for e in endpoints for x in ("--bootstrap", e)]
        alice, bob = Node(program, root, "alice", "alice@demo.example"), Node(program, root, "bob", "bob@demo.example")
        nodes += [alice, bob]
        alice.wait_online(alice.up("--relay", "off", *bootstrap))
        bob.wait_online(bob.up("--relay", "off", *bootstrap, "--auto-answer"))

        silence = root / "silence.wav"
        silence.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00")
        ring, setup, voice = [], [], []
        for n in range(args.calls):
            r = alice.run("call", "bob@demo.example", "--play", str(silence), "--record", str(root / "heard.wav"), "--duration", "0.2", "--cold", "--json")
            line = json.loads(r.stdout.strip().splitlines()[-1])
            ring.append(line["ring_ms"])
            setup.append(line["setup_ms"])
            if line["first_voice_ms"] is not None:
                voice.append(line["first_voice_ms"])
            for heard in root.glob("heard*.wav"):
                heard.unlink()

        cold, warm = [], []
        for n in range(args.starts):
            carol = Node(program, root, f"c{n}", f"carol{n}@demo.example")
            cold.append(carol.wait_online(carol.up("--relay", "off", *bootstrap)))
            carol.down()
            warm.append(carol.wait_online(carol.up("--relay", "off")))
            carol.down()
            shutil.rmtree(carol.home)
        figures = {
            "schema": 1, "calls": len(ring),
            "ring_ms_p50": percentile(ring, .5), "ring_ms_p99": percentile(ring, .99),
            "setup_ms_p50": percentile(setup, .5), "setup_ms_p99": percentile(setup, .99),
            "first_voice_ms_p50": percentile(voice, .5) if voice else None,
            "online_from_nothing_ms_p50": percentile(cold, .5), "online_from_nothing_ms_max": max(cold),
            "online_from_host_cache_ms_p50": percentile(warm, .5), "online_from_host_cache_ms_max": max(warm),
        }
        if args.json:
            print(json.dumps(figures))
        else:
            for key, value in figures.items():
                print(f"{key:34} {value:.1f}" if isinstance(value, float) else f"{key:34} {value}")
    finally:
        for node in reversed(nodes):
            node.down()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
