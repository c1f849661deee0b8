"""Part of turn-refusals: the user, and the eye on the wire. Prints one JSON object: a row for each peer."""
import ctypes
import hashlib
import hmac
import ipaddress
import json
import os
import socket
import struct
import sys

SERVER, CLIENT, PORT = "198.18.9.1", "198.18.9.2", 4400
COOKIE = 0x2112A442
ALLOCATE, PERMISSION, BIND, SEND = 3, 8, 9, 0x16
USER, PASSWORD = b"phone", b"long and secret"
# Every way to write where nobody may go; the last ones are the server itself.
REFUSED = ["127.0.0.1", "127.255.0.9", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.1.1", "169.254.169.254",
           "100.100.100.200", "168.63.129.16", "192.0.0.8", "192.88.99.1", "224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1",
           "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:0:10.0.0.1", "2002:7f00:1::1", "2002:a00:1::1", "64:ff9b::10.0.0.1",
           "64:ff9b:1::10.0.0.1", "2001:0:53aa:64c:0:fbff:f5ff:fffe", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff05::2", "100::1"]
OWN = [("198.18.9.1", PORT), ("2001:db8:9::1", PORT)]
ALLOWED = [("198.18.77.7", 9999), ("2001:db8:77::7", 9999)]


def enter(namespace):
    fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def place(ip, port, transaction):
    # "::ffff:10.0.0.1" stays what it is on the wire: sixteen bytes.
    raw = ipaddress.ip_address(ip).packed
    mask = struct.pack("!I", COOKIE) + transaction
    return struct.pack("!BBH", 0, 1 if len(raw) == 4 else 2, port ^ COOKIE >> 16) + bytes(a ^ b for a, b in zip(raw, mask))


class User:
    def __init__(self, family):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((CLIENT, 0))
        self.socket.connect((SERVER, PORT))
        self.socket.settimeout(10)
        self.realm = self.nonce = b""
        code, _ = self.ask(ALLOCATE, lambda t: attribute(0x19, b"\x11\0\0\0"))
        assert code == 401, code
        code, answer = self.ask(ALLOCATE, lambda t: attribute(0x19, b"\x11\0\0\0") + attribute(0x17, bytes([family, 0, 0, 0])))
        assert code == 0, code

    def ask(self, method, attributes):
        transaction = os.urandom(12)
        body = attributes(transaction)
        if self.nonce:
            body += attribute(6, USER) + attribute(0x14, self.realm) + attribute(0x15, self.nonce)
            header = struct.pack("!HHI", method, len(body) + 24, COOKIE) + transaction
            key = hashlib.md5(USER + b":" + self.realm + b":" + PASSWORD).digest()
            body += attribute(8, hmac.new(key, header + body, hashlib.sha1).digest())
        self.socket.send(struct.pack("!HHI", method, len(body), COOKIE) + transaction + body)
        while True:
            answer = self.socket.recv(4096)
            if answer[8:20] == transaction:
                return self.read(answer)

    def read(self, answer):
        found, at = {}, 20
        while at < len(answer):
            kind, size = struct.unpack_from("!HH", answer, at)
            found[kind] = answer[at + 4:at + 4 + size]
            at += 4 + size + -size % 4
        self.realm, self.nonce = found.get(0x14, self.realm), found.get(0x15, self.nonce)
        error = found.get(9)
        return (error[2] * 100 + error[3] if error else 0), found

    def send(self, ip, port):
        transaction = os.urandom(12)
        body = attribute(0x12, place(ip, port, transaction)) + attribute(0x13, b"by an indication")
        self.socket.send(struct.pack("!HHI", SEND, len(body), COOKIE) + transaction + body)

    def on_channel(self, number):
        self.socket.send(struct.pack("!HH", number, 12) + b"by a channel")


def watched(eye):
    """What left since the last look; between user and server does not count, nor do neighbour discovery and its like."""
    packets = []
    while True:
        try:
            frame, where = eye.recvfrom(4096)
        except BlockingIOError:
            return packets
        protocol = where[1]
        if protocol == 0x0800:
            ends = {socket.inet_ntoa(frame[12:16]), socket.inet_ntoa(frame[16:20])}
            if ends != {SERVER, CLIENT}:
                packets.append(frame)
        elif protocol == 0x86DD and frame[6] != 58 and frame[6] != 0:  # ICMPv6, MLD behind hop-by-hop options
            packets.append(frame)


def attempt(user, eye, number, ip, port):
    watched(eye)
    permission, _ = user.ask(PERMISSION, lambda t: attribute(0x12, place(ip, port, t)))
    channel, _ = user.ask(BIND, lambda t: attribute(0x0C, struct.pack("!HH", number, 0)) + attribute(0x12, place(ip, port, t)))
    user.send(ip, port)
    user.on_channel(number)
    # One more question: the server reads in order, so all of the above is behind it when it answers.
    user.ask(PERMISSION, lambda t: attribute(0x12, place("198.18.77.7" if user.v4 else "2001:db8:77::7", 1, t)))
    seen = watched(eye)
    return {"peer": ip, "port": port, "permission": permission, "channel": channel, "packets": len(seen), "seen": [frame[:60].hex() for frame in seen]}


def main():
    relay, client = sys.argv[1:]
    enter(relay)
    eye = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    eye.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    eye.setblocking(False)
    enter(client)
    users = {}
    for family in (1, 2):
        users[family] = User(family)
        users[family].v4 = family == 1
    rows, number = {"refused": [], "own": [], "allowed": []}, 0x4000
    for kind, places in (("refused", [(ip, 80) for ip in REFUSED]), ("own", OWN), ("allowed", ALLOWED)):
        for ip, port in places:
            user = users[1 if ipaddress.ip_address(ip).version == 4 else 2]
            rows[kind].append(attempt(user, eye, number, ip, port))
            number += 1
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
