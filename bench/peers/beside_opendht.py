#!/usr/bin/env python3
"""Real peers of ours beside nodes of OpenDHT: join storm, puts, gets, and gets just after a part was killed.

    bench/peers/beside_opendht.py --build build/bench/bench/peers [--nodes 100] [--turns 5] [--gets 100] [--puts 40] [--killed 30] [--json FILE]

In turns of one run: OpenDHT, ours with every node a supernode, ours with one in ten a supernode and the others leaves; each in a process of its own, on loopback (no
round trip to speak of). Prints a table in Markdown: medians over the turns of the p50 and the p95 of each turn (at least 40 trials), how many came to what they were
for, CPU and memory of a node, and ratios, ours to theirs. It ends only processes it started.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

KINDS = {"storm": "join storm: until a node can be found", "put": "one more joins and is stored", "get": "get", "get_killed": "get, a part just killed"}
LEAST_TRIALS = 40


def at(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def trial(build, who, options):
    supernodes = {"opendht": None, "all": options.nodes, "leaves": max(2, options.nodes // 10)}[who]
    program = "bench_opendht_peers" if who == "opendht" else "bench_linnet_peers"
    command = [str(build / program)]
    for name in ("nodes", "gets", "puts", "killed"):
        command += ["--" + name, str(getattr(options, name))]
    if supernodes:
        command += ["--supernodes", str(supernodes)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=options.limit, check=True)
    return json.loads(done.stdout)


def figures(result):
    """What is compared, of one turn."""
    out = {}
    for kind in KINDS:
        samples = result[kind]
        out[kind, "p50"] = at(samples["ms"], 0.5)
        out[kind, "p95"] = at(samples["ms"], 0.95)
        out[kind, "came"] = 100 * len(samples["ms"]) / max(1, samples["begun"])
    nodes = result["nodes"]
    out["cpu", "storm"] = 1e3 * result["storm_cpu"] / nodes
    out["cpu", "get"] = 1e3 * result["get_cpu"] / max(1, result["get"]["begun"])
    out["memory", "node"] = 1024 * result["rss_mb"] / nodes
    out["kill", "ms"] = result["kill_ms"]
    return out


def table(turns):
    """Of the turns that all of them have ended."""
    ended = min(len(fs) for fs in turns.values())
    if ended == 0:
        return
    turns = {who: fs[:ended] for who, fs in turns.items()}
    print(f"medians of {ended} turns\n")
    medians = {who: {key: statistics.median(f[key] for f in fs) for key in fs[0]} for who, fs in turns.items()}
    names = {"opendht": "OpenDHT", "all": "ours, all supernodes", "leaves": "ours, one in ten"}
    print("| | " + " | ".join(names[w] for w in turns) + " | ratio, all supernodes | ratio, one in ten |")
    print("| --- |" + " --- |" * (len(turns) + 2))

    def row(what, key, digits=1):
        values = [medians[w][key] for w in turns]
        ratios = [v / values[0] if values[0] else float("nan") for v in values[1:]]
        print(f"| {what} | " + " | ".join(f"{v:,.{digits}f}" for v in values) + " | " + " | ".join(f"{r:.2f}" for r in ratios) + " |")

    for kind, what in KINDS.items():
        row(what + ", p50, ms", (kind, "p50"))
        row("the same, p95, ms", (kind, "p95"))
        row("came to it, %", (kind, "came"))
    row("CPU of the storm, ms a node", ("cpu", "storm"))
    row("CPU while gets go on, ms a get", ("cpu", "get"))
    row("memory of the process, KiB a node", ("memory", "node"), 0)
    row("what the killing took, ms", ("kill", "ms"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--gets", type=int, default=100)
    parser.add_argument("--puts", type=int, default=40)
    parser.add_argument("--killed", type=float, default=30)
    parser.add_argument("--limit", type=float, default=600, help="seconds that one trial may take")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if min(options.gets, options.puts) < LEAST_TRIALS:
        print(f"a p95 of fewer than {LEAST_TRIALS} trials says little", file=sys.stderr)
    turns = {"opendht": [], "all": [], "leaves": []}
    try:
        for turn in range(options.turns):
            for who in turns:
                print(f"turn {turn + 1} of {options.turns}: {who}", file=sys.stderr)
                result = trial(options.build, who, options)
                if options.json:
                    with options.json.open("a") as out:
                        out.write(json.dumps(result) + "\n")
                turns[who].append(figures(result))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    table(turns)


if __name__ == "__main__":
    main()
