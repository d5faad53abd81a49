"""Un démon que l'on mesure, du dehors : ce que `/proc` en dit, ce qu'il répond. Linux seulement."""

import contextlib
import os
import pathlib
import platform
import re
import socket
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORLD = ROOT / "target/debug/examples/world"

DAY = 720  # tours
REQUESTS = 10_000
CONNECTIONS = 8
PATIENCE = 60

# Ce qui se lit le plus, sur un an de relevés.
READS = ["/health", "/api/budget", "/api/trades?limit=100", "/api/budget/history?period=1y"]
ASKED = 400
LATENCY = 0.05
TARGETS = {"BTCUSDC": 0.3, "ETHUSDC": 0.2, "SOLUSDC": 0.2}


def build(*what):
    subprocess.run(["cargo", "build", "--locked", "--quiet", *what], cwd=ROOT, check=True)


@contextlib.contextmanager
def running_world():
    """Le monde simulé ; rend les variables d'environnement qui y mènent."""
    world = subprocess.Popen([WORLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield dict(world.stdout.readline().rstrip("\n").split("=", 1) for _ in range(5))
    finally:
        world.stdin.close()
        world.wait(PATIENCE)


class Daemon:
    """Un démon et les processus qu'il a lancés, sur `port` ; ce qu'il écrit va dans `folder`."""

    def __init__(self, command, environment, folder, port, cwd=None):
        self.port = port
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.started = time.monotonic()
            self.process = subprocess.Popen(command, env=environment, cwd=cwd or folder, stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        if self.process.wait(PATIENCE) != 0:
            raise RuntimeError(f"the daemon ended with {self.process.returncode}:\n{self.log.read_text()}")

    def connect(self):
        """Une connexion, dès que le démon en accepte : on insiste sans dormir, pour ne pas compter le sommeil."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(ConnectionRefusedError):
                return Connection(self.port)
            if self.process.poll() is not None:
                raise RuntimeError(f"the daemon did not start:\n{self.log.read_text()}")
        raise TimeoutError("the daemon does not listen")

    def processes(self):
        """Lui, puis ceux qu'il a lancés et qui vivent encore."""
        found = [pathlib.Path(f"/proc/{self.process.pid}")]
        for process in found:
            for children in process.glob("task/*/children"):
                found += [pathlib.Path(f"/proc/{child}") for child in children.read_text().split()]
        return found

    def tasks(self):
        return [task for process in self.processes() for task in process.glob("task/*")]

    def cpu_seconds(self):
        """Le temps de calcul de tous les fils, à la nanoseconde près."""
        return sum(int((task / "schedstat").read_text().split()[0]) for task in self.tasks()) / 1e9

    def threads(self):
        return sorted((task / "comm").read_text().strip() for task in self.tasks())

    def memory_mb(self, file, field):
        return self.number(file, field) / 1024

    def number(self, file, field):
        return sum(number(process / file, field) for process in self.processes())

    def switches(self):
        """Les changements de contexte de tous les fils, voulus ou non."""
        kinds = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")
        return sum(number(task / "status", kind) for task in self.tasks() for kind in kinds)

    def memory(self):
        names = {"rss": ("status", "VmRSS"), "anonymous": ("status", "RssAnon"), "pss": ("smaps_rollup", "Pss")}
        return {name: self.memory_mb(*where) for name, where in names.items()}


def number(file, field):
    return int(re.search(rf"^{field}:\s+(\d+)( kB)?$", file.read_text(), re.MULTILINE).group(1))


class Connection:
    """Une connexion gardée ouverte, dont l'envoi et la lecture sont séparés."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.socket.close()

    def ask(self, path):
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def answer(self):
        """Le corps de la réponse, qui doit être un 200."""
        status = self.reader.readline()
        length = 0
        while (line := self.reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = self.reader.read(length)
        if not status.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"unexpected answer {status!r} {body!r}")
        return body

    def get(self, path):
        self.ask(path)
        return self.answer()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def first_health(daemon):
    """Du lancement au premier 200 de `/health`, en ms."""
    with daemon.connect() as connection:
        connection.get("/health")
        return (time.monotonic() - daemon.started) * 1000


def read_figures(daemon, connection, path):
    """De cette lecture : requêtes par seconde, médiane et 99e centile du temps d'une réponse, en ms."""
    times = []
    for _ in range(ASKED):
        begin = time.monotonic()
        connection.get(path)
        times.append((time.monotonic() - begin) * 1000)
    rate = load(daemon, [path], ASKED)
    return rate, statistics.median(times), statistics.quantiles(times, n=100)[98]


def load(daemon, routes, requests):
    """Ces routes à tour de rôle, une demande en vol par connexion ; rend les requêtes par seconde."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(daemon.connect()) for _ in range(CONNECTIONS)]
        started = time.monotonic()
        for first in range(0, requests, CONNECTIONS):
            for offset, connection in enumerate(connections):
                connection.ask(routes[(first + offset) % len(routes)])
            for connection in connections:
                connection.answer()
        return requests / (time.monotonic() - started)


def year():
    """Les moments, en ms, des relevés qu'un an laisse : un par heure, toutes les deux minutes les 31 derniers jours."""
    now, day = int(time.time() * 1000), 24 * 3_600_000
    return [*range(now - 365 * day, now - 31 * day, 3_600_000), *range(now - 31 * day, now, 120_000)]


def wait_until(condition, what, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"never happened: {what}")
        time.sleep(0.5)


def memory_text(memory):
    return "{rss:.1f} MB RSS ({anonymous:.1f} anonymous), {pss:.1f} MB PSS".format(**memory)


def show_table(rows):
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name, value in rows:
        print(f"  {name:<30} {value}")
