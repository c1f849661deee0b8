#!/usr/bin/env python3
"""What a node costs that does nothing: memory, bytes on the wire, and how soon `linnet status` answers.

    bench/idle.py [--linnet build/release/linnet] [--seconds 60] [--runs 60] [--supernodes 3]

Three supernodes and one leaf on loopback. The leaf's memory is read from /proc (smaps_rollup) after it was idle, its bytes from
its own counters (UDP payload; 28 bytes of IPv4 and UDP a datagram are added), and `linnet status --json` is timed from fork to exit.
"""
import argparse
import json
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import time

HEADERS = 28  # IPv4 and UDP


def ask(home, request):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.path.join(home, "control.sock"))
        s.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(s.makefile().readline())


def memory(pid):
    out = {}
    for name in (f"/proc/{pid}/status", f"/proc/{pid}/smaps_rollup"):
        for line in open(name):
            key, _, value = line.partition(":")
            if value.strip().endswith("kB"):
                out[key] = int(value.split()[0])
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--linnet", default="build/release/linnet")
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--runs", type=int, default=60)
    p.add_argument("--supernodes", type=int, default=3)
    a = p.parse_args()
    linnet = os.path.abspath(a.linnet)
    folder = tempfile.mkdtemp(prefix="linnet-idle-")
    env = dict(os.environ, LINNET_AUDIO="none")
    homes = []

    def up(name, *flags):
        home = os.path.join(folder, name)
        os.mkdir(home, 0o700)
        homes.append(home)
        subprocess.run([linnet, "--home", home, "id", "new", f"{name}@demo.example", "--json"], check=True, stdout=subprocess.DEVNULL)
        line = subprocess.run([linnet, "--home", home, "up", "--json", "--listen", "127.0.0.1:0", "--lan", "off", *flags],
                              check=True, capture_output=True, env=env).stdout
        return home, json.loads(line)

    try:
        _, first = up("relay1", "--relay", "on")
        for i in range(1, a.supernodes):
            up(f"relay{i + 1}", "--relay", "on", "--bootstrap", first["listen"][0])
        home, leaf = up("alice", "--bootstrap", first["listen"][0])
        while ask(home, {"cmd": "status"})["state"] != "online":
            time.sleep(0.05)
        time.sleep(min(10, a.seconds))  # joining is not idling
        before, at = ask(home, {"cmd": "counters"}), time.monotonic()
        time.sleep(a.seconds)
        after, seconds = ask(home, {"cmd": "counters"}), time.monotonic() - at
        size = memory(leaf["pid"])

        took = []
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(a.runs):
            t = time.perf_counter()
            subprocess.run([linnet, "--home", home, "status", "--json"], check=True, stdout=subprocess.DEVNULL)
            took.append(1000 * (time.perf_counter() - t))
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = 1000 * (now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime) / a.runs
        took.sort()

        def rate(direction):
            payload = after[f"bytes_{direction}"] - before[f"bytes_{direction}"]
            return (payload + HEADERS * (after[f"datagrams_{direction}"] - before[f"datagrams_{direction}"])) / seconds

        print(json.dumps({
            "rss_anon_kb": size["RssAnon"], "rss_kb": size["VmRSS"], "pss_kb": size["Pss"], "private_dirty_kb": size["Private_Dirty"],
            "bytes_per_s_in": round(rate("in"), 1), "bytes_per_s_out": round(rate("out"), 1), "idle_s": round(seconds, 1),
            "status_ms_p50": round(took[len(took) // 2], 1), "status_ms_p95": round(took[int(len(took) * 0.95)], 1),
            "status_cpu_ms": round(cpu, 1), "runs": a.runs, "load": os.getloadavg()[0]}))
    finally:
        for home in homes:
            subprocess.run([linnet, "--home", home, "down"], stderr=subprocess.DEVNULL)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
