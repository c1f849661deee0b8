"""A conference of real daemons, each in a network namespace of its own on one bridge (or all in one, on its loopback). Needs root.
It ends only processes it started, by their pids. What was said is made of assets/speech.wav, without its pauses and in an order of its own, so that
no second sounds like another; what was heard is judged by linnet_hear (hear.cpp), which is built with the tests."""
import argparse
import array
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import wave

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent.parent
sys.path.insert(0, str(HERE.parent / "nat"))
import lab as nat  # noqa: E402  (signals become exceptions there)

LINKEM = HERE.parent / "natlab/linkem.cpp"
percentile = nat.percentile
SKIPPED = 77
SAID = 0.5  # STOI: what was heard with less is not what was said, and its gaps say nothing


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def load():
    """Of the machine, which says how far times are to be trusted."""
    return [round(x, 1) for x in os.getloadavg()]


def parser(text, **usual):
    out = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--linnet", default=str(TOP / "build/test/linnet"))
    out.add_argument("--hear", help="linnet_hear (default: beside the program, in tests/)")
    out.add_argument("--members", type=int, default=usual.get("members", 8))
    out.add_argument("--trials", type=int, default=usual.get("trials", 1))
    out.add_argument("--seed", type=int, default=1)
    out.add_argument("--keep", action="store_true", help="keep the homes, with their logs and recordings")
    out.add_argument("--json", action="store_true", help="one line for each trial and one for the whole")
    return out


def run(options, body):
    """body(options) gives the whole's object, with "good"; exit code 0: reached, 1: not, 77: cannot be made here."""
    why = nat.unable()
    options.linnet = str(pathlib.Path(options.linnet).resolve())
    options.hear = options.hear or str(pathlib.Path(options.linnet).parent / "tests/linnet_hear")
    for program in (options.linnet, options.hear):
        if not why and not os.access(program, os.X_OK):
            why = f"{program} is not built (cmake --build --preset test --target linnet linnet_hear)"
    if why:
        print(f"skipped: {why}", file=sys.stderr)
        return SKIPPED
    for name in [n for n in os.environ if n.startswith("LINNET_")]:
        del os.environ[name]  # the daemons take nothing from this person's settings
    os.environ["LINNET_AUDIO"] = "none"  # and make no sound
    before = load()
    out = body(options)
    out["load"] = [before, load()]
    print(json.dumps(out) if options.json else "\n".join(f"{k}: {v}" for k, v in out.items()), flush=True)
    return 0 if out["good"] else 1


def row(options, what):
    print(json.dumps(what) if options.json else "  ".join(f"{k} {v}" for k, v in what.items()), flush=True)


def write_wav(path, samples, rate):
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())


def speech(path, seconds, seed=1, lead=0.0):
    """Speech without pauses, after `lead` seconds of silence: pieces of 0.4 s in a random order, each second another."""
    with wave.open(str(nat.SPEECH)) as f:
        rate, sound = f.getframerate(), array.array("h", f.readframes(f.getnframes()))
    step = rate // 100
    blocks = [sound[i:i + step] for i in range(0, len(sound) - step, step)]
    loud = [b for b in blocks if max(abs(x) for x in b) > 800]
    size, chance = 40, random.Random(seed)
    out = array.array("h", bytes(2 * int(lead * rate)))
    while len(out) < (lead + seconds) * rate:
        at = chance.randrange(len(loud) - size)
        for block in loud[at:at + size]:
            out.extend(block)
    write_wav(path, out, rate)
    return pathlib.Path(path)


def sentences(path, seconds, lead=0.0):
    """The recording as it was spoken, again and again."""
    with wave.open(str(nat.SPEECH)) as f:
        rate, sound = f.getframerate(), array.array("h", f.readframes(f.getnframes()))
    out = array.array("h", bytes(2 * int(lead * rate)))
    out.extend(sound[:int(seconds * rate)])
    write_wav(path, out, rate)
    return pathlib.Path(path)


def speaks_at(path):
    """Seconds until the first word."""
    with wave.open(str(path)) as f:
        rate, sound = f.getframerate(), array.array("h", f.readframes(f.getnframes()))
    return next((i for i, x in enumerate(sound) if abs(x) > 1500), 0) / rate


class Lab:
    """m0, m1, ... and a supernode. `delay`: milliseconds one way from any host to any other; `rate`: host number -> kbit/s that it can send;
    `quota`: host number -> share of one core; `flat`: no links, all on one loopback."""

    def __init__(self, options, delay=0, rate=None, quota=None, flat=False):
        self.options, self.program = options, options.linnet
        self.delay, self.rate, self.quota, self.flat = delay, rate or {}, quota or {}, flat
        self.name = f"cf{os.getpid()}"
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="linnet-conf-"))
        self.links, self.spaces, self.groups, self.started, self.flags = [], [], [], [], {}
        self.pids, self.followers = {}, []
        self.here = []
        self.boot = []
        try:
            self.space("sw")
            if not flat:
                self.ip("-n", self.of("sw"), "link", "add", "br0", "type", "bridge")
                self.ip("-n", self.of("sw"), "link", "set", "br0", "up")
        except BaseException:
            self.down()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()

    # Networks

    def of(self, host):
        return f"{self.name}-{host}"

    def ip(self, *words):
        r = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=30)
        if r.returncode:
            raise RuntimeError(f"ip {' '.join(words)}: {r.stderr}")

    def space(self, host):
        self.ip("netns", "add", self.of(host))
        self.spaces.append(host)
        self.ip("-n", self.of(host), "link", "set", "lo", "up")

    def plug(self, host, number):
        """A host on the bridge, behind a link that delays or brakes what it sends."""
        port = f"p{number}"
        self.space(host)
        if self.delay or number in self.rate:
            linkem = self.root / "linkem"
            if not linkem.exists():
                subprocess.run(["g++", "-O2", "-std=c++17", str(LINKEM), "-o", str(linkem)], check=True, timeout=120)
            config = self.root / f"link-{host}"
            config.write_text(f"ab_delay_ms {self.delay}\nab_rate_kbit {self.rate.get(number, 0)}\nqueue_ms 400\n")
            self.links.append(subprocess.Popen([str(linkem), self.of(host), "eth0", self.of("sw"), port, str(config)], stdin=subprocess.DEVNULL,
                                               stdout=subprocess.DEVNULL, start_new_session=True))
            until = time.monotonic() + 20
            while subprocess.run(["ip", "-n", self.of("sw"), "link", "show", port], capture_output=True).returncode:
                if time.monotonic() > until:
                    raise RuntimeError(f"no link of {host}")
                time.sleep(0.05)
        else:
            self.ip("-n", self.of(host), "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", self.of("sw"))
        self.ip("-n", self.of("sw"), "link", "set", port, "master", "br0", "up")
        # A prefix of its own: a supernode answers so many questions of each.
        self.ip("-n", self.of(host), "addr", "add", f"10.77.{number}.1/16", "dev", "eth0")
        self.ip("-n", self.of(host), "link", "set", "eth0", "up")

    def inside(self, host):
        return ["ip", "netns", "exec", self.of("sw" if self.flat else host)]

    # Daemons

    def home(self, host):
        return self.root / host

    def address(self, host):
        return f"{host}@lab.example"

    def command(self, host, *words):
        return [self.program, "--home", str(self.home(host)), *words]

    def linnet(self, host, *words, timeout=60):
        return subprocess.run(self.command(host, *words), capture_output=True, text=True, timeout=timeout)

    def json(self, host, *words):
        try:
            return json.loads(self.linnet(host, *words, "--json").stdout.strip().splitlines()[-1])
        except (ValueError, IndexError, subprocess.TimeoutExpired):
            return {}

    def group(self, host, share):
        """A control group that may use so much of one core, in steps of 20 ms; the file that takes pids."""
        v1 = pathlib.Path("/sys/fs/cgroup/cpu")
        base = v1 if (v1 / "cpu.cfs_quota_us").exists() or (v1 / "cpu.shares").exists() else pathlib.Path("/sys/fs/cgroup")
        if base != v1:
            (base / "cgroup.subtree_control").write_text("+cpu")
        group = base / self.of(host)
        group.mkdir()
        self.groups.append(group)
        period, quota = 20000, max(1000, int(20000 * share))
        if base == v1:
            (group / "cpu.cfs_period_us").write_text(str(period))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {period}")
        return group / "cgroup.procs"

    def up(self, host, *flags):
        made = self.linnet(host, "id", "new", self.address(host))
        if made.returncode:
            raise RuntimeError(made.stderr)
        self.flags[host] = flags
        self.start(host)

    def start(self, host):
        line = [*self.inside(host), *self.command(host, "up", "--lan", "off", *self.flags[host])]
        number = int(host[1:]) if host[1:].isdigit() else None
        if number in self.quota:
            procs = self.home(host) / "group"
            if not procs.exists():
                procs.write_text(str(self.group(host, self.quota[number])))
            line = ["sh", "-c", 'echo $$ >"$1"; shift; exec "$@"', "sh", procs.read_text(), *line]
        if host not in self.started:
            self.started.append(host)
        r = subprocess.run(line, capture_output=True, text=True, timeout=90)
        if r.returncode:
            raise RuntimeError(f"{host}: {r.stderr}")
        self.pids[host] = self.json(host, "status").get("pid")

    def people(self, count, flags=lambda number: (), supernodes=1):
        """Supernodes and so many members, online: each answers by itself, says nothing and records. flags(number) is more of `up`."""
        for k in range(supernodes):
            number = 250 + k
            if not self.flat:
                self.plug(f"s{number}", number)
            listen = f"127.0.0.1:{4400 + k}" if self.flat else f"10.77.{number}.1:4400"
            self.up(f"s{number}", "--relay", "on", "--listen", listen, *[w for b in self.boot for w in ("--bootstrap", b)])
            self.boot.append(listen)
        names = [f"m{i}" for i in range(count)]

        def begin(i):
            if not self.flat:
                self.plug(names[i], i)
            self.up(names[i], "--relay", "off", "--listen", "127.0.0.1:0" if self.flat else "0.0.0.0:0", "--auto-answer", "--record", str(self.record(names[i])),
                    *[w for b in self.boot for w in ("--bootstrap", b)], *flags(i))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for n, _ in enumerate(pool.map(begin, range(count)), 1):
                if n % 10 == 0:
                    say(f"{n} daemons run")
            for host, online in zip(names, pool.map(lambda h: self.until(h, lambda s: s.get("state") == "online", 120), names)):
                if not online:
                    raise RuntimeError(f"{host} is not online")
        return names

    def record(self, host):
        return self.root / f"{host}-heard.wav"

    def heard(self, host):
        """The newest: a daemon never writes over a recording."""
        return max(self.root.glob(f"{host}-heard*.wav"), key=lambda f: f.stat().st_mtime_ns, default=self.record(host))

    def forget(self, hosts):
        """So that the next recording is the only one, and the disk is not filled."""
        for host in hosts:
            for file in self.root.glob(f"{host}-heard*.wav"):
                file.unlink(missing_ok=True)

    def recorded(self, host):
        """Seconds that are in the recording by now: 48 kHz, 16 bits."""
        try:
            return max(0, self.heard(host).stat().st_size - 44) / 96000
        except OSError:
            return 0.0

    def until(self, host, ready, seconds):
        """Follows the node's events; the first status that is so, or None."""
        return nat.follow(self.command(host), ready, seconds)

    # Conferences

    def view(self, host):
        return self.json(host, "conf", "ls")

    def views(self, hosts):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return dict(zip(hosts, pool.map(self.view, hosts)))

    @staticmethod
    def said_of(view):
        """What members have to agree on."""
        return (view.get("room"), view.get("mixer"), view.get("deputy"), tuple(sorted(m["address"] for m in view.get("members") or [])))

    def agreed(self, hosts, count=None, seconds=60, ready=lambda view: True):
        """Until all of these say the same, with so many members; that view, or None."""
        count = count or len(hosts)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            views = list(self.views(hosts).values())
            if len({self.said_of(v) for v in views}) == 1 and len(views[0].get("members") or []) == count and views[0].get("deputy") and ready(views[0]):
                return views[0]
            time.sleep(0.2)
        return None

    def follow(self, *words):
        """A command that stays, such as conf new; it ends with the lab."""
        # Their namespaces do not matter: they speak with the daemon by its socket.
        out = subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.followers.append(out)
        return out

    def confer(self, founder, others, *flags):
        return self.follow(founder, "conf", "new", "lab", *[self.address(h) for h in others], "--record", str(self.record(founder)), "--json", *flags)

    def join(self, host, into, play):
        """As whoever speaks."""
        return self.follow(host, "conf", "join", self.address(into), "--play", str(play), "--record", str(self.record(host)), "--json")

    def leave(self, hosts):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:  # those who stay record on
            list(pool.map(lambda host: self.linnet(host, "conf", "leave"), hosts))
            list(pool.map(lambda host: self.until(host, lambda s: not s.get("calls"), 20), hosts))

    @staticmethod
    def host_of(address):
        return (address or "").partition("@")[0]

    def kill(self, host):
        """-9, of exactly that daemon; when."""
        os.kill(self.pids[host], signal.SIGKILL)
        return time.monotonic()

    def judge(self, said, hosts, gap=20, start=0.0):
        r = subprocess.run([self.options.hear, str(said), "--gap", str(gap), "--from", str(start), *[str(self.heard(h)) for h in hosts]],
                           capture_output=True, text=True, timeout=60 + 60 * len(hosts))
        rows = [json.loads(line) or {} for line in r.stdout.splitlines()]
        return dict(zip(hosts, rows + [{}] * (len(hosts) - len(rows))))

    def down(self):
        with nat.Undisturbed():
            for process in self.followers:
                if process.poll() is None:
                    process.terminate()
            for host in self.started:
                try:
                    self.linnet(host, "down", timeout=30)
                except subprocess.TimeoutExpired:
                    if self.pids.get(host):
                        os.kill(self.pids[host], signal.SIGKILL)
            for process in self.followers + self.links:
                if process.poll() is None:
                    process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            for host in self.spaces:
                subprocess.run(["ip", "netns", "del", self.of(host)], capture_output=True)
            for group in self.groups:
                try:
                    group.rmdir()
                except OSError as failed:
                    say(f"{group} stays: {failed}")
            if self.options.keep:
                say(f"homes are kept in {self.root}")
            else:
                shutil.rmtree(self.root, ignore_errors=True)
