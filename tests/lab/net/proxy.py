#!/usr/bin/env python3
"""A proxy of few words: HTTP CONNECT and SOCKS5 on one port, told apart by the first byte.

    proxy.py ADDRESS PORT [--user NAME:PASSWORD] [--name NAME=ADDRESS]... [--only PORT]

Port 0: any, and the first line of stdout says which. One line on stderr for each way that it opens. --only: no other port is connected to.
"""
import argparse
import base64
import socket
import struct
import sys
import threading

parser = argparse.ArgumentParser()
parser.add_argument("address")
parser.add_argument("port", type=int)
parser.add_argument("--user", default="")
parser.add_argument("--name", action="append", default=[])
parser.add_argument("--only", type=int)
options = parser.parse_args()
names = dict(n.split("=") for n in options.name)


def exactly(s, n):
    out = b""
    while len(out) < n:
        some = s.recv(n - len(out))
        if not some:
            raise EOFError
        out += some
    return out


def reach(host, port):
    if options.only and port != options.only:
        raise OSError("another port")
    far = socket.create_connection((names.get(host, host), port), timeout=10)
    print(f"to {host}:{port}", file=sys.stderr, flush=True)
    return far


def http(s, seen):
    while b"\r\n\r\n" not in seen:
        seen += exactly(s, 1)
    lines = seen.decode().split("\r\n")
    method, target, _ = lines[0].split(" ")
    word = "Proxy-Authorization: Basic " + base64.b64encode(options.user.encode()).decode()
    if options.user and word not in lines:
        s.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"lab\"\r\nContent-Length: 0\r\n\r\n")
        raise OSError("who is that")
    host, port = target.rsplit(":", 1)
    try:
        assert method == "CONNECT"
        far = reach(host.strip("[]"), int(port))
    except (OSError, AssertionError):
        s.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        raise
    s.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    return far


def socks(s):
    methods = exactly(s, exactly(s, 1)[0])
    wanted = 2 if options.user else 0
    if wanted not in methods:
        s.sendall(b"\x05\xff")
        raise OSError("who is that")
    s.sendall(bytes([5, wanted]))
    if wanted:
        exactly(s, 1)
        user = exactly(s, exactly(s, 1)[0])
        word = exactly(s, exactly(s, 1)[0])
        good = (user + b":" + word).decode() == options.user
        s.sendall(b"\x01\x00" if good else b"\x01\x01")
        if not good:
            raise OSError("who is that")
    _, command, _, kind = exactly(s, 4)
    if kind == 1:
        host = socket.inet_ntop(socket.AF_INET, exactly(s, 4))
    elif kind == 4:
        host = socket.inet_ntop(socket.AF_INET6, exactly(s, 16))
    else:
        host = exactly(s, exactly(s, 1)[0]).decode()
    port, = struct.unpack("!H", exactly(s, 2))
    try:
        far = reach(host, port)
    except OSError:
        s.sendall(b"\x05\x02\x00\x01" + bytes(6))
        raise
    s.sendall(b"\x05\x00\x00\x01" + bytes(6))
    return far


def pass_on(a, b):
    try:
        while some := a.recv(65536):
            b.sendall(some)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(s):
    try:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        first = exactly(s, 1)
        far = socks(s) if first == b"\x05" else http(s, first)
        far.settimeout(None)
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=pass_on, args=(far, s), daemon=True).start()
        pass_on(s, far)
    except (OSError, EOFError, ValueError, AssertionError):
        pass
    finally:
        s.close()


listener = socket.create_server((options.address, options.port), backlog=128)
print("ready", listener.getsockname()[1], flush=True)
while True:
    peer, _ = listener.accept()
    threading.Thread(target=serve, args=(peer,), daemon=True).start()
