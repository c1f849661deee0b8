#!/usr/bin/env python3
"""What TURN costs here, beside coturn and a bare forwarder, in turns of one run.

    bench/turn_beside_coturn.py --linnet build/bench/linnet [--quick] [--turns 5] [--seconds 2] [--only '1x1-*,*-both-*'] [--transports udp,tcp,tls]
                                [--rates saturated,20kpps,lossless] [--gather US] [--json FILE] [--gso]

Each shape (allocations x channels of each) goes from clients to peers (c2p), back (p2c) and both ways. Started once and bound to the first CPU: a supernode,
Debian's turnserver, and udpfwd twice (mode mmsg for c2p, mode sessions for the rest). The same packets go through each in turn from the second CPU
(tests/lab/relaybench/turnload.cpp). udpfwd speaks UDP alone: beside TCP and TLS it stands for the least that the packets would cost without a stream.

Prints a table in Markdown: medians over the turns of the CPU seconds, user and system, that a million delivered packets cost the server; the ratios; who lost how many
of what was offered; how many were delivered in a second. Rates: as fast as the generator can; 20,000 a second in all; the highest that coturn carries without loss, found
before the turns. A ratio above what is asked for, or a loss where coturn has none, is bold. It ends only processes it started.
"""
import argparse
import datetime
import fnmatch
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
LAB = TOP / "tests/lab/relaybench"
OURS, COTURN, TLS, BARE, BARE_SESSIONS, PEERS = 14500, 13478, 15349, 13500, 13501, 13600

SHAPES = [(1, 1), (20, 1), (20, 4), (100, 40)]
WAYS = {"c2p": "to peers", "p2c": "to clients", "both": "both ways"}
RATES = {"saturated": 0, "20kpps": 20000, "lossless": None}
NO_LOSS = 0.1  # percent: what counts as none in the search for the highest rate

COTURN_CONF = """listening-ip=127.0.0.1
relay-ip=127.0.0.1
listening-port={port}
tls-listening-port={tls}
min-port=40000
max-port=49000
lt-cred-mech
user=u:p
realm=nat.test
allow-loopback-peers
no-cli
no-dtls
no-multicast-peers
simple-log
"""


class Row:
    """A shape, a direction, a transport and a rate."""

    def __init__(self, transport, shape, way, rate):
        self.transport, self.shape, self.way, self.rate = transport, shape, way, rate
        self.name = f"{shape[0]}x{shape[1]}-{way}-{rate}"
        self.results = {}  # of each server, in the order of the turns
        self.pps = RATES[rate]

    def wanted(self, patterns):
        return not patterns or any(fnmatch.fnmatch(self.name, one) for one in patterns)

    def traffic(self):
        return ["--allocs", str(self.shape[0]), "--channels", str(self.shape[1]), "--dir", self.way]

    def at_most(self, gather):
        """Of coturn's CPU (issue 4)."""
        if (self.transport, self.shape, self.way) != ("udp", (1, 1), "c2p"):
            return 1.0
        return {"saturated": 0.65, "20kpps": 0.85 if gather >= 250 else 0.90}.get(self.rate, 1.0)

    def median(self, server, key):
        return statistics.median(r[key] for r in self.results[server])

    def cost(self, server):
        return self.median(server, "server_cpu_s_per_mpkt")


class Relays:
    """The servers that are compared, all on the first CPU."""

    def __init__(self, root, linnet, gather):
        self.root, self.processes = root, {}
        self.load = root / "turnload"
        compiler = ["g++", "-O2", "-std=c++17", "-pthread"]
        subprocess.run([*compiler, "-DTURNLOAD_TLS", str(LAB / "turnload.cpp"), "-o", str(self.load), "-lssl", "-lcrypto"], check=True)
        subprocess.run([*compiler, str(LAB / "udpfwd.cpp"), "-o", str(root / "udpfwd")], check=True)
        home = root / "relay"
        subprocess.run([linnet, "--home", str(home), "id", "new", "relay@load.example"], check=True, stdout=subprocess.DEVNULL)
        (home / "config.toml").write_text(f"[relay]\ngather = {gather}\n")
        self.start("Linnet", linnet, "--home", home, "up", "--foreground", "--relay", "on", "--lan", "off", "--listen", f"127.0.0.1:{OURS}",
                   "--turn-user", "u:p", "--relay-allow-loopback")
        self.start_coturn()
        for name, mode, port in (("udpfwd", "mmsg", BARE), ("udpfwd sessions", "sessions", BARE_SESSIONS)):
            self.start(name, root / "udpfwd", "--mode", mode, "--listen", port, "--peer", f"127.0.0.1:{PEERS}", "--peers", 64)

    def start(self, name, *line):
        self.processes[name] = subprocess.Popen(["taskset", "-c", "0", *map(str, line)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start_coturn(self):
        root = self.root
        (root / "coturn.conf").write_text(COTURN_CONF.format(port=COTURN, tls=TLS))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-keyout", root / "key.pem", "-out", root / "cert.pem"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.start("coturn", "turnserver", "-c", root / "coturn.conf", "--relay-threads", 1, "--userdb", root / "turndb", "--cert", root / "cert.pem",
                   "--pkey", root / "key.pem", "--log-file", root / "coturn.log", "--pidfile", root / "coturn.pid")

    def wait(self):
        for port in (OURS, COTURN, TLS):
            end = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if time.monotonic() > end:
                        raise SystemExit(f"nobody listens on port {port}")
                    time.sleep(0.05)

    def end(self):
        for one in self.processes.values():
            one.terminate()
            one.wait()

    def towards(self, server, row):
        if server == "udpfwd":
            mode, port = ("udpfwd", BARE) if row.way == "c2p" else ("udpfwd sessions", BARE_SESSIONS)
            return ["--mode", "raw", "-s", f"127.0.0.1:{port}", "--peer-ports", str(PEERS), "--pid", str(self.processes[mode].pid)]
        port = OURS if server == "Linnet" else TLS if row.transport == "tls" else COTURN
        return ["-s", f"127.0.0.1:{port}", "-u", "u", "-w", "p", "--transport", row.transport, "--pid", str(self.processes[server].pid)]

    def measure(self, server, row, seconds, *more):
        line = [str(self.load), *self.towards(server, row), *row.traffic(), "--duration", str(seconds), "--warmup", str(min(0.5, seconds / 2)), "--cpu", "1", "--json", *more]
        out = subprocess.run(line, capture_output=True, text=True, timeout=240)
        if out.returncode:
            raise SystemExit(" ".join(line) + "\n" + out.stderr)
        return json.loads(out.stdout.splitlines()[-1])


def run(relays, row, options):
    if row.rate == "lossless":
        found = relays.measure("coturn", row, min(1, options.seconds), "--rate", "20000", "--search", "--max-loss", str(NO_LOSS))
        row.pps = int(found["asked_pps"])
    more = ["--gso"] if options.gso else []
    for turn in range(options.turns):
        for server in ("Linnet", "coturn", "udpfwd"):
            result = relays.measure(server, row, options.seconds, "--rate", str(row.pps), *more)
            row.results.setdefault(server, []).append(result)
            print(f"{row.transport} {row.name:22} turn {turn + 1} {server:7} delivered {result['received']:8} lost {result['loss_pct']:7.3f} % "
                  f"{result['server_cpu_s_per_mpkt']:6.3f} CPU s/Mpkt{'  the generator was too slow' if result['sender_limited'] else ''}"
                  f"{'  the generator itself lost ' + str(result['own_drops']) if result['own_drops'] else ''}", file=sys.stderr)


def marked(text, wrong):
    return f"**{text}**" if wrong else text


def cells(row, gather):
    servers = ("Linnet", "coturn", "udpfwd")
    ours, coturn, bare = (row.cost(s) for s in servers)
    lost = [row.median(s, "loss_pct") for s in servers]
    # What the generator's own sockets lost is nobody's fault.
    own = [statistics.median(100 * r["own_drops"] / max(1, r["sent"]) for r in row.results[s]) for s in servers]
    losses = [max(0.0, a - b) for a, b in zip(lost, own)]
    ratio, most = ours / coturn, row.at_most(gather)
    paced = row.rate != "saturated"
    rate = {"saturated": "saturated", "20kpps": "20 kpps"}.get(row.rate, f"{row.pps / 1000:.0f} kpps")
    slow = paced and any(row.median(s, "sender_limited") for s in servers)
    losses_text = "none" if max(losses) < NO_LOSS else ", ".join(f"{x:.1f}" for x in losses) + " %"
    return [f"{row.transport.upper()} {row.shape[0]} x {row.shape[1]} {WAYS[row.way]}, {rate}{' (generator too slow)' if slow else ''}",
            f"{ours:.2f}", f"{coturn:.2f}", f"{bare:.2f}", marked(f"{ratio:.2f}", ratio > most), f"<= {most:.2f}", f"{ours / bare:.2f}",
            marked(losses_text, losses[0] >= NO_LOSS > losses[1]), ", ".join(f"{row.median(s, 'delivered_pps') / 1000:.0f}" for s in servers)]


HEAD = ["shape", "Linnet", "coturn", "udpfwd", "to coturn", "must", "to udpfwd", "lost: Linnet, coturn, udpfwd", "delivered, kpps"]


def line(columns):
    return "| " + " | ".join(columns) + " |"


def words(text):
    return list(filter(None, text.split(",")))


def rows_of(options, parser):
    for given, known in ((options.transports, ("udp", "tcp", "tls")), (options.rates, RATES)):
        if unknown := set(words(given)) - set(known):
            parser.error("not known: " + ", ".join(sorted(unknown)))
    rows = [Row(transport, shape, way, rate) for transport in words(options.transports) for shape in SHAPES for way in WAYS for rate in words(options.rates)]
    rows = [row for row in rows if row.wanted(words(options.only))]
    if not rows:
        parser.error("no such shape: " + options.only)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linnet", default=str(TOP / "build/bench/linnet"))
    parser.add_argument("--quick", action="store_true", help="one turn of half a second of everything: what is far off")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", default="", help="patterns of names, with commas: 20x4-both-20kpps, 1x1-*")
    parser.add_argument("--transports", default="udp,tcp,tls")
    parser.add_argument("--rates", default="saturated,20kpps")
    parser.add_argument("--gather", type=int, default=0, help="microseconds that our packets may wait for others")
    parser.add_argument("--gso", action="store_true", help="the generator sends trains that the kernel cuts (UDP_SEGMENT)")
    parser.add_argument("--json", help="a file for every single result")
    options = parser.parse_args()
    if options.quick:
        options.turns, options.seconds = 1, 0.5
    rows = rows_of(options, parser)
    root = pathlib.Path(tempfile.mkdtemp(prefix="linnet-turn-"))
    relays = Relays(root, options.linnet, options.gather)
    began = datetime.datetime.now()
    try:
        relays.wait()
        print(line(HEAD) + "\n" + line(["---"] * len(HEAD)))
        for row in rows:
            run(relays, row, options)
            print(line(cells(row, options.gather)), flush=True)
    finally:
        relays.end()
    print(f"\nCPU seconds for a million delivered packets; medians of {options.turns} turns of {options.seconds:g} s; {began:%Y-%m-%d %H:%M} to "
          f"{datetime.datetime.now():%H:%M}, load at the end {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps([{"transport": r.transport, "row": r.name, "results": r.results} for r in rows], indent=1))


if __name__ == "__main__":
    main()
