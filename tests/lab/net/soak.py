"""Part of soak: floods two nodes from forged sources, and watches what they hold."""
import hashlib
import json
import os
import random
import socket
import sys
import time

from amplify import PORT, forged

TARGETS = ("198.18.9.1", "198.18.9.3")
BURST, PAUSE = 40, 0.004
SLOW = 600  # TCP connections


def initiation(key):
    """Message 1 of XX with an ephemeral key of its own, and the mac1 that every stranger can make."""
    under = bytes([4, 1]) + os.urandom(4) + os.urandom(32)
    under += bytes(1000 - 32 - len(under))
    return under + hashlib.blake2b(under, digest_size=16, key=key).digest() + bytes(16)


def flipped(packet):
    out = bytearray(packet)
    out[random.randrange(len(out))] ^= 1 << random.randrange(8)
    return bytes(out)


def slow_client(i):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((TARGETS[i % 2], PORT))
    return s


def drip(sockets):
    """A byte on each; who was closed comes again. How many that were."""
    closed = 0
    for i, s in enumerate(sockets):
        try:
            s.send(b"\x04")
        except OSError:
            s.close()
            sockets[i] = slow_client(i)
            closed += 1
    return closed


def flood(file, seconds):
    with open(file) as f:
        heard = [bytes.fromhex(p) for of_kind in json.load(f).values() for p in of_kind]
    network = hashlib.blake2b(b"linnet", digest_size=32).digest()
    key = hashlib.blake2b(b"linnet-1 mac1" + network, digest_size=32).digest()
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    kinds = {
        "handshakes": lambda: initiation(key),
        "again": lambda: random.choice(heard),
        "flipped": lambda: flipped(random.choice(heard)),
        "turn": lambda: b"\x00\x03\x00\x08\x21\x12\xa4\x42" + os.urandom(12) + b"\x00\x19\x00\x04\x11\x00\x00\x00",
        "noise": lambda: os.urandom(random.randrange(1, 1200)),
    }
    sent = dict.fromkeys([*kinds, "connections"], 0)
    clients = [slow_client(i) for i in range(SLOW)]
    until, dripped = time.monotonic() + float(seconds), 0.0
    while time.monotonic() < until:
        for _ in range(BURST):
            name = random.choice(list(kinds))
            to = random.choice(TARGETS)
            source = f"11.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}"
            try:
                out.sendto(forged(source, random.randrange(1024, 65535), kinds[name](), to), (to, 0))
                sent[name] += 1
            except OSError:
                pass
        if time.monotonic() - dripped > 1:
            dripped = time.monotonic()
            sent["connections"] += drip(clients)
        time.sleep(PAUSE)
    print(json.dumps(sent))


def held(pid):
    with open(f"/proc/{pid}/status") as f:
        resident = next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    return resident, len(os.listdir(f"/proc/{pid}/fd"))


def watch(seconds, *nodes):
    rows = {}
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        for node in nodes:
            name, pid = node.split("=")
            rows.setdefault(name, []).append(held(pid))
        time.sleep(1)
    # Descriptors of the second half against the first: flat is no more than the flood's own connections.
    print(json.dumps({name: {
        "rss_kib": {"first": seen[0][0], "last": seen[-1][0], "most": max(s[0] for s in seen),
                    "most_of_quarters": [max(s[0] for s in seen[len(seen) * q // 4:len(seen) * (q + 1) // 4]) for q in range(4)]},
        "descriptors": {"first": seen[0][1], "last": seen[-1][1], "most": max(s[1] for s in seen),
                        "most_of_quarters": [max(s[1] for s in seen[len(seen) * q // 4:len(seen) * (q + 1) // 4]) for q in range(4)]},
    } for name, seen in rows.items()}))


if __name__ == "__main__":
    {"flood": flood, "watch": watch}[sys.argv[1]](*sys.argv[2:])
