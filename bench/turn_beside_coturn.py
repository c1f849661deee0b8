#!/usr/bin/env python3
"""What TURN costs here, beside coturn and the bare forwarder, in turns of one run.

    bench/turn_beside_coturn.py --linnet build/release/linnet [--turns 5] [--seconds 3] [--only 1x1-saturated,...] [--transports udp,tcp,tls] [--gather US]

Starts a supernode, Debian's turnserver and udpfwd (mode mmsg), all bound to the first CPU, and sends the same packets through each in turn from the
second (tests/lab/relaybench/turnload.cpp). Prints for each shape the median CPU seconds for a million delivered packets of each and the ratios.
`udpfwd` knows one allocation, so it stands beside the shapes of one alone. It ends only processes it started.
"""
import argparse
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
LAB = TOP / "tests/lab/relaybench"
OURS, COTURN, TLS, BARE = 14500, 13478, 15349, 13500

# name, arguments of turnload, whether the bare forwarder stands beside
SHAPES = [
    ("1x1-saturated", ["--rate", "0"], True),
    ("1x1-20kpps", ["--rate", "20000"], True),
    ("20x1-20kpps", ["--allocs", "20", "--rate", "20000"], False),
    ("20x1-saturated", ["--allocs", "20", "--rate", "0"], False),
    ("20x4-saturated", ["--allocs", "20", "--channels", "4", "--rate", "0"], False),
    ("100x40-saturated", ["--allocs", "100", "--channels", "40", "--rate", "0"], False),
    ("100x40-20kpps", ["--allocs", "100", "--channels", "40", "--rate", "20000"], False),
    ("1x1-p2c-20kpps", ["--dir", "p2c", "--rate", "20000"], False),
    ("1x1-p2c-saturated", ["--dir", "p2c", "--rate", "0"], False),
    ("20x4-both-20kpps", ["--dir", "both", "--allocs", "20", "--channels", "4", "--rate", "20000"], False),
]

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


def build(root):
    subprocess.run(["g++", "-O2", "-std=c++17", "-pthread", "-DTURNLOAD_TLS", str(LAB / "turnload.cpp"), "-o", str(root / "turnload"), "-lssl", "-lcrypto"],
                   check=True)
    subprocess.run(["g++", "-O2", "-std=c++17", str(LAB / "udpfwd.cpp"), "-o", str(root / "udpfwd")], check=True)


def start(root, linnet, gather):
    first = ["taskset", "-c", "0"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    home = root / "relay"
    subprocess.run([linnet, "--home", str(home), "id", "new", "relay@load.example"], check=True, stdout=subprocess.DEVNULL)
    (home / "config.toml").write_text(f"[relay]\ngather = {gather}\n")
    ours = subprocess.Popen([*first, linnet, "--home", str(home), "up", "--foreground", "--relay", "on", "--lan", "off", "--listen", f"127.0.0.1:{OURS}",
                             "--turn-user", "u:p", "--relay-allow-loopback"], **quiet)
    (root / "coturn.conf").write_text(COTURN_CONF.format(port=COTURN, tls=TLS))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", str(root / "key.pem"), "-out", str(root / "cert.pem")], check=True, **quiet)
    coturn = subprocess.Popen([*first, "turnserver", "-c", str(root / "coturn.conf"), "--relay-threads", "1", "--userdb", str(root / "turndb"), "--cert",
                               str(root / "cert.pem"), "--pkey", str(root / "key.pem"), "--log-file", str(root / "coturn.log"), "--pidfile",
                               str(root / "coturn.pid")], **quiet)
    bare = subprocess.Popen([*first, str(root / "udpfwd"), "--mode", "mmsg", "--listen", str(BARE), "--peer", "127.0.0.1:13600"])
    return {"ours": ours, "coturn": coturn, "udpfwd": bare}


def wait_for(port):
    end = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise SystemExit(f"nobody listens on port {port}")
            time.sleep(0.05)


def target(name, process, transport):
    if name == "udpfwd":
        return ["--mode", "raw", "-s", f"127.0.0.1:{BARE}", "--peer-ports", "13600", "--pid", str(process.pid)]
    port = OURS if name == "ours" else TLS if transport == "tls" else COTURN
    return ["-s", f"127.0.0.1:{port}", "-u", "u", "-w", "p", "--transport", transport, "--pid", str(process.pid)]


def measure(load, name, process, transport, shape, seconds):
    line = [load, *target(name, process, transport), *shape, "--duration", str(seconds), "--cpu", "1", "--json"]
    out = subprocess.run(line, capture_output=True, text=True, timeout=240)
    if out.returncode:
        raise SystemExit(" ".join(line) + "\n" + out.stderr)
    return json.loads(out.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linnet", default=str(TOP / "build/release/linnet"))
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--only", default="", help="names of shapes, with commas")
    parser.add_argument("--transports", default="udp")
    parser.add_argument("--gather", type=int, default=0, help="microseconds that our packets may wait for others")
    options = parser.parse_args()
    wanted = set(filter(None, options.only.split(",")))
    if unknown := wanted - {name for name, _, _ in SHAPES}:
        parser.error("no such shape: " + ", ".join(sorted(unknown)))
    root = pathlib.Path(tempfile.mkdtemp(prefix="linnet-turn-"))
    build(root)
    processes = start(root, options.linnet, options.gather)
    try:
        for port in (OURS, COTURN):
            wait_for(port)
        for transport in options.transports.split(","):
            for shape, arguments, bare in SHAPES:
                if (wanted and shape not in wanted) or (transport == "tls" and "both" in shape):
                    continue
                rows = {}
                for turn in range(options.turns):
                    for name, process in processes.items():
                        if name == "udpfwd" and (not bare or transport != "udp"):
                            continue
                        row = measure(str(root / "turnload"), name, process, transport, arguments, options.seconds)
                        rows.setdefault(name, []).append(row)
                        print(f"{transport} {shape:20} turn {turn + 1} {name:7} delivered {row['received']:8} lost {row['loss_pct']:7.3f} % "
                              f"{row['server_cpu_s_per_mpkt']:6.3f} CPU s/Mpkt", file=sys.stderr)
                medians = {n: statistics.median(r["server_cpu_s_per_mpkt"] for r in list_) for n, list_ in rows.items()}
                print(json.dumps({"transport": transport, "shape": shape, **{n: round(v, 3) for n, v in medians.items()},
                                  **{n + "_loss_pct": round(statistics.median(r["loss_pct"] for r in list_), 3) for n, list_ in rows.items()},
                                  "to_coturn": round(medians["ours"] / medians["coturn"], 3),
                                  **({"to_udpfwd": round(medians["ours"] / medians["udpfwd"], 3)} if "udpfwd" in medians else {})}), flush=True)
    finally:
        for one in processes.values():
            one.terminate()
            one.wait()


if __name__ == "__main__":
    main()
