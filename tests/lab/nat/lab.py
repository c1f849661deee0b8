"""Two networks behind kernel NATs with real daemons in them, made of tests/lab/natlab. Needs root. It ends only processes it started."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from loud import loud  # noqa: E402

TOP = HERE.parent.parent.parent
NATLAB = TOP / "tests/lab/natlab/natlab.sh"
SPEECH = TOP / "assets/speech.wav"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TYPES = ["none", "firewall", "full-cone", "restricted", "port-restricted", "symmetric", "udp-blocked", "tcp443-only", "cgnat", "cgnat-sym"]


def leave(number, _frame):
    """Who is told to end takes the namespaces along: as an exception, so that every `finally` runs."""
    raise SystemExit(128 + number)


for number in SIGNALS:
    signal.signal(number, leave)


def follow(node, ready, seconds):
    """`node`: the program and its home. Follows its events: the first status that is ready, or None after so long."""
    watch = subprocess.Popen(["timeout", str(seconds), *node, "status", "--json", "--watch"], stdout=subprocess.PIPE, text=True)
    try:
        for line in watch.stdout:
            status = json.loads(line)
            if ready(status):
                return status
    finally:
        watch.terminate()
        watch.wait()
    return None


class Undisturbed:
    """Nothing interrupts what is cleaned up here, nor the programs that do it."""

    def __enter__(self):
        self.before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}

    def __exit__(self, *_):
        for number, handler in self.before.items():
            signal.signal(number, handler)


def unable():
    """Why the lab cannot be made here; None: it can."""
    if os.geteuid() != 0:
        return "makes network namespaces: needs root"
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    missing = [tool for tool in ("ip", "nft") if not shutil.which(tool)]
    return f"needs {', '.join(missing)}" if missing else None


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else None


def gaps_of(rows):
    """Milliseconds of the longest silence in each call, at either end that heard anything."""
    ends = [row.get(side, {}).get("max_gap_ms") for row in rows for side in ("caller", "callee")]
    return [gap for gap in ends if gap is not None]


def silent_at_most(most, rows):
    """No call was silent for longer than `most` milliseconds, and all were heard at both ends. None: nobody asks."""
    gaps = gaps_of(rows)
    return most is None or (len(gaps) == 2 * len(rows) and max(gaps) <= most)


class Lab:
    def __init__(self, program, a, b, delay=0, keep=False, relays=3, more=()):
        self.program, self.keep = program, keep
        self.name = f"m{os.getpid()}"
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="linnet-nat-"))
        self.homes = []
        self.arguments = {}  # of up, for each host
        arguments = ["up", "-n", self.name, "-a", a, "-b", b, "-k", str(relays)]
        arguments += more
        if delay:
            arguments += ["--delay", str(delay)]
        try:
            self.natlab(*arguments)
        except BaseException:
            self.down()
            raise

    def natlab(self, *arguments, check=True):
        r = subprocess.run([str(NATLAB), *arguments], capture_output=True, text=True, timeout=120)
        if check and r.returncode:
            raise RuntimeError(f"natlab {' '.join(arguments)}: {r.stderr}{r.stdout}")
        return r.stdout

    def linnet(self, host, *arguments, timeout=90):
        return subprocess.run([self.program, "--home", str(self.root / host), *arguments], capture_output=True, text=True, timeout=timeout)

    def up(self, host, *arguments, name=None):
        self.homes.append(host)
        made = self.linnet(host, "id", "new", f"{name or host}@lab.example")
        if made.returncode:
            raise RuntimeError(made.stderr)
        self.arguments[host] = arguments
        self.start(host)

    def start(self, host):
        command = ["ip", "netns", "exec", f"nat-{self.name}-{host}", self.program, "--home", str(self.root / host), "up", "--lan", "off",
                   *self.arguments[host]]
        r = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if r.returncode:
            raise RuntimeError(f"{host}: {r.stderr}")

    def again(self, host):
        """The same person's next run: it remembers contacts and supernodes, and no session."""
        self.linnet(host, "down")
        self.start(host)

    def status(self, host):
        try:
            return json.loads(self.linnet(host, "status", "--json").stdout)
        except ValueError:
            return {}

    def watch(self, host, ready, seconds):
        """Follows the node's events: the first status that is ready, or None after so long."""
        return follow([self.program, "--home", str(self.root / host)], ready, seconds)

    def online(self, host, seconds=60):
        """Milliseconds from here until the node is online; None after so many seconds."""
        started = time.monotonic()
        return round((time.monotonic() - started) * 1000) if self.watch(host, lambda s: s.get("state") == "online", seconds) else None

    def people_up(self, people=None, v6=False):
        """Three supernodes on the Internet side, on port 4400 (and by themselves on 443 and 80), then people: host to listening addresses and
        the family by which it joins; usually a1 and b1 with IPv4."""
        people = people or {"a1": (["0.0.0.0:4400"], 4), "b1": (["0.0.0.0:4400"], 4)}
        at = {4: [f"198.18.{k}.11:4400" for k in (1, 2, 3)], 6: [f"[2001:db8:f0{k:02x}::11]:4400" for k in (1, 2, 3)]}
        boot = []
        for k in (1, 2, 3):
            own = [at[4][k - 1]] + ([at[6][k - 1]] if v6 else [])
            self.up(f"pub{k}", "--relay", "on", *self.options("--listen", own), *boot)
            boot += self.options("--bootstrap", own[:1])
        for host, (listen, family) in people.items():
            self.up(host, "--relay", "off", *self.options("--listen", listen), "--auto-answer", "--play", str(SPEECH),
                    *self.options("--bootstrap", at[family]))
        return {host: self.online(host) for host in people}

    @staticmethod
    def options(name, values):
        return [word for value in values for word in (name, value)]

    def inside(self, host, *command):
        subprocess.run(["ip", "netns", "exec", f"nat-{self.name}-{host}", *command], check=True, timeout=30)

    def call(self, caller, callee, seconds):
        heard = self.root / f"{caller}-heard.wav"
        heard.unlink(missing_ok=True)
        r = self.linnet(caller, "call", f"{callee}@lab.example", "--play", str(SPEECH), "--record", str(heard),
                        "--duration", str(seconds), "--cold", "--json", timeout=120 + seconds)
        lines = r.stdout.strip().splitlines()
        outcome = json.loads(lines[-1]) if lines else {"result": "failed"}
        outcome["heard"] = loud(heard)
        outcome["callee"] = self.told(callee)
        return outcome

    def told(self, host):
        """What the other end of a call that just ended wrote down of it."""
        self.watch(host, lambda s: not s.get("calls"), 10)
        lines = self.linnet(host, "log", "--json").stdout.strip().splitlines()
        return json.loads(lines[-1]) if lines else {}

    def host_of(self, via):
        """The supernode that a call's "via" names, by its address; None for anything else."""
        return next((f"pub{k}" for k in (1, 2, 3) if via and f"198.18.{k}.11:" in via), None)

    def down(self):
        with Undisturbed():
            for host in self.homes:
                self.linnet(host, "down")
            self.natlab("down", "-n", self.name, check=False)
            if self.keep:
                print(f"homes are kept in {self.root}", file=sys.stderr)
            else:
                shutil.rmtree(self.root, ignore_errors=True)
