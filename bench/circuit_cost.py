#!/usr/bin/env python3
"""What a supernode's circuits cost beside the bare forwarder, in turns of one run.

    bench/circuit_cost.py --linnet build/release/linnet --load build/bench/bench/bench_circuit_load [--forwarder tests/lab/relaybench/udpfwd.cpp]
                          [--turns 5] [--seconds 4] [--pairs 1] [--pps 20000]

Starts a supernode and udpfwd (mode mmsg), both bound to the first CPU, and sends the same packets through each in turn from the second: as many as go,
and 20,000 a second. Prints the median CPU seconds for a million delivered packets of each, and their ratio. It ends only processes it started.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linnet", default=str(TOP / "build/release/linnet"))
    parser.add_argument("--load", default=str(TOP / "build/bench/bench/bench_circuit_load"))
    parser.add_argument("--forwarder", default=str(TOP / "tests/lab/relaybench/udpfwd.cpp"))
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--pps", type=int, default=20000, help="of the paced runs")
    options = parser.parse_args()
    root = pathlib.Path(tempfile.mkdtemp(prefix="linnet-cost-"))
    forwarder = root / "udpfwd"
    subprocess.run(["g++", "-O2", "-std=c++17", options.forwarder, "-o", str(forwarder)], check=True)
    home = root / "relay"
    subprocess.run([options.linnet, "--home", str(home), "id", "new", "relay@load.example"], check=True, stdout=subprocess.DEVNULL)
    (home / "config.toml").write_text("[relay]\nbandwidth = 1000000\npeer = 10000000\nprefix = 100000000\n")
    first = ["taskset", "-c", "0"]
    relay = subprocess.Popen([*first, options.linnet, "--home", str(home), "up", "--foreground", "--relay", "on", "--lan", "off",
                              "--listen", "127.0.0.1:14400"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bare = subprocess.Popen([*first, str(forwarder), "--mode", "mmsg", "--listen", "13500", "--peer", "127.0.0.1:13600"])
    figures = {}
    try:
        time.sleep(2)
        for turn in range(options.turns):
            for pps in (0, options.pps):
                for name, target in (("circuits", ["--relay", "127.0.0.1:14400", "--pid", str(relay.pid)]),
                                     ("udpfwd", ["--raw", "127.0.0.1:13500", "--port", "13600", "--pid", str(bare.pid)])):
                    out = subprocess.run(["taskset", "-c", "1", options.load, *target, "--pps", str(pps), "--pairs", str(options.pairs),
                                          "--seconds", str(options.seconds)], capture_output=True, text=True, timeout=120)
                    if out.returncode:
                        raise SystemExit(out.stderr)
                    row = json.loads(out.stdout)
                    figures.setdefault((pps, name), []).append(row)
                    print(f"turn {turn + 1} {'saturated' if pps == 0 else pps:>9} {name:8} sent {row['sent']:8} delivered {row['delivered']:8} "
                          f"{row['cpu_s_per_Mpkt']:6.3f} CPU s/Mpkt", file=sys.stderr)
    finally:
        for one in (relay, bare):
            one.terminate()
            one.wait()
    for pps in (0, options.pps):
        medians = {n: statistics.median(r["cpu_s_per_Mpkt"] for r in figures[(pps, n)]) for n in ("circuits", "udpfwd")}
        print(json.dumps({"pps": pps or "saturated", "pairs": options.pairs, **{k: round(v, 3) for k, v in medians.items()},
                          "ratio": round(medians["circuits"] / medians["udpfwd"], 3)}))


if __name__ == "__main__":
    main()
