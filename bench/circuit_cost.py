#!/usr/bin/env python3
"""What a supernode's circuits cost beside the bare forwarder, in turns of one run.

    bench/circuit_cost.py --linnet build/bench/linnet --load build/bench/bench/bench_circuit_load [--forwarder tests/lab/relaybench/udpfwd.cpp]
                          [--quick] [--turns 5] [--seconds 4] [--pairs 1,20] [--pps 20000]

Starts a supernode and udpfwd (mode mmsg), both bound to the first CPU, and sends the same packets through each in turn from the second: as many as go,
and 20,000 a second. Prints a table in Markdown: medians of the CPU seconds for a million delivered packets of each, their ratio, what each lost.
It ends only processes it started.
"""
import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
MOST = 1.15  # of the forwarder's CPU (issue 4)
HEAD = ["circuits", "Linnet", "udpfwd", "ratio", "must", "lost: Linnet, udpfwd"]


def start(root, options):
    forwarder = root / "udpfwd"
    subprocess.run(["g++", "-O2", "-std=c++17", options.forwarder, "-o", str(forwarder)], check=True)
    home = root / "relay"
    subprocess.run([options.linnet, "--home", str(home), "id", "new", "relay@load.example"], check=True, stdout=subprocess.DEVNULL)
    (home / "config.toml").write_text("[relay]\nbandwidth = 1000000\npeer = 10000000\nprefix = 100000000\n")
    first = ["taskset", "-c", "0"]
    relay = subprocess.Popen([*first, options.linnet, "--home", str(home), "up", "--foreground", "--relay", "on", "--lan", "off",
                              "--listen", "127.0.0.1:14400"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bare = subprocess.Popen([*first, str(forwarder), "--mode", "mmsg", "--listen", "13500", "--peer", "127.0.0.1:13600"])
    return relay, bare


def measure(options, target, pps, pairs):
    out = subprocess.run(["taskset", "-c", "1", options.load, *target, "--pps", str(pps), "--pairs", str(pairs), "--seconds", str(options.seconds)],
                         capture_output=True, text=True, timeout=120)
    if out.returncode:
        raise SystemExit(out.stderr)
    return json.loads(out.stdout)


def print_row(name, rows):
    median = {n: statistics.median(r["cpu_s_per_Mpkt"] for r in list_) for n, list_ in rows.items()}
    lost = {n: statistics.median(100 * (1 - r["delivered"] / r["sent"]) for r in list_) for n, list_ in rows.items()}
    ratio = median["circuits"] / median["udpfwd"]
    loss = "none" if max(lost.values()) < 0.1 else f"{lost['circuits']:.1f}, {lost['udpfwd']:.1f} %"
    print(f"| {name} | {median['circuits']:.2f} | {median['udpfwd']:.2f} | {f'**{ratio:.2f}**' if ratio > MOST else f'{ratio:.2f}'} | <= {MOST} | {loss} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linnet", default=str(TOP / "build/bench/linnet"))
    parser.add_argument("--load", default=str(TOP / "build/bench/bench/bench_circuit_load"))
    parser.add_argument("--forwarder", default=str(TOP / "tests/lab/relaybench/udpfwd.cpp"))
    parser.add_argument("--quick", action="store_true", help="one turn of a second")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--pairs", default="1,20", help="how many pairs of peers, with commas")
    parser.add_argument("--pps", type=int, default=20000, help="of the paced runs")
    options = parser.parse_args()
    if options.quick:
        options.turns, options.seconds = 1, 1
    root = pathlib.Path(tempfile.mkdtemp(prefix="linnet-cost-"))
    relay, bare = start(root, options)
    began = datetime.datetime.now()
    targets = {"circuits": ["--relay", "127.0.0.1:14400", "--pid", str(relay.pid)], "udpfwd": ["--raw", "127.0.0.1:13500", "--port", "13600", "--pid", str(bare.pid)]}
    try:
        time.sleep(2)
        print("| " + " | ".join(HEAD) + " |\n|" + " --- |" * len(HEAD))
        for pairs in map(int, options.pairs.split(",")):
            for pps in (0, options.pps):
                rows = {}
                for turn in range(options.turns):
                    for name, target in targets.items():
                        row = measure(options, target, pps, pairs)
                        rows.setdefault(name, []).append(row)
                        print(f"{pairs:3} pairs turn {turn + 1} {'saturated' if pps == 0 else pps:>9} {name:8} sent {row['sent']:8} delivered {row['delivered']:8} "
                              f"{row['cpu_s_per_Mpkt']:6.3f} CPU s/Mpkt", file=sys.stderr)
                print_row(f"{pairs} {'pair' if pairs == 1 else 'pairs'}, {f'{pps / 1000:g} kpps' if pps else 'saturated'}", rows)
    finally:
        for one in (relay, bare):
            one.terminate()
            one.wait()
    print(f"\nCPU seconds for a million delivered packets; medians of {options.turns} turns of {options.seconds} s; {began:%Y-%m-%d %H:%M} to "
          f"{datetime.datetime.now():%H:%M}, load at the end {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
