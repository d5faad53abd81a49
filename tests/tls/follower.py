"""Le vrai démon devant un monde simulé qui ne parle que https, à une heure que l'on règle.

`Stage` met tout en place et l'enlève ; `Follower` est le démon, et ce qu'une scène en attend.
"""

import contextlib
import json
import pathlib
import random
import re
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from front import Front
from world import World

PATIENCE = 60
DRY, LIVE = "dry_run", "live"


@dataclass(frozen=True)
class Means:
    """Ce que toutes les scènes ont. `stores` : par quelle variable le démon connaît l'autorité ; `faketime` : la
    bibliothèque qui change l'heure d'un processus."""

    program: str
    world: str
    faketime: str
    stores: dict
    certificates: dict


class Stage:
    """Un monde neuf, dont le leader se tait, une adresse https devant chacun des deux, et un suiveur."""

    def __init__(self, means, mode, store="file", shown="right", lead=0):
        self.means = means
        with contextlib.ExitStack() as stack:
            self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="calvalot-tls-")))
            self.world = stack.enter_context(World(means.world))
            self.world.tell("no-signal")
            certificate = means.certificates[shown]
            self.leader, self.exchange = self.fronts = [
                stack.enter_context(contextlib.closing(Front(self.world.environment[name], certificate)))
                for name in ("LEADER_URL", "BINANCE_URL")
            ]
            self.follower = stack.enter_context(contextlib.closing(Follower(self, mode, means.stores[store], lead)))
            until("the first poll", lambda: self.follower.polls() > 0)
            self._stack = stack.pop_all()

    def __enter__(self):
        return self.follower

    def __exit__(self, kind, error, _):
        if kind:
            error.add_note(f"the daemon said:\n{self.follower.log.read_text()[-6000:]}")
        self._stack.close()

    def show(self, certificate):
        for front in self.fronts:
            front.show(self.means.certificates.get(certificate, certificate))


class Follower:
    """Un démon dont l'horloge avance de `lead` secondes sur celle du monde."""

    def __init__(self, stage, mode, store, lead):
        self.stage, self.mode, self.port = stage, mode, free_port()
        self.base, self.log, self.clock = (stage.folder / name for name in ("calvalot.db", "log", "clock"))
        self.set_clock(lead)
        self.environment = {
            **stage.world.environment, **store, "LEADER_URL": stage.leader.url, "BINANCE_URL": stage.exchange.url,
            "TRADING_MODE": mode, "DB_PATH": str(self.base), "PORT": str(self.port), "POLL_INTERVAL_SECONDS": "1",
            "INITIAL_BUDGET_EUR": "500", "LD_PRELOAD": stage.means.faketime, "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen([stage.means.program, "run"], env=self.environment, cwd=stage.folder, stderr=log)

    def close(self):
        # Tué net, il laisserait la mémoire partagée de libfaketime.
        self.process.terminate()
        self.process.wait(PATIENCE)

    def set_clock(self, lead):
        new = self.clock.with_suffix(".new")
        new.write_text(f"{lead:+d}\n")
        new.rename(self.clock)

    def get(self, path):
        """La réponse, le 503 de /health compris ; vide tant que personne n'écoute."""
        expect(self.process.poll() is None, "the daemon is alive")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            return ""

    def json(self, path):
        return json.loads(self.get(path))

    def polls(self):
        counts = re.findall(r"^calvalot_polls_total\{.*\} (\d+)$", self.get("/metrics"), re.MULTILINE)
        return sum(int(count) for count in counts)

    def wait_polls(self, more):
        enough = self.polls() + more
        until(f"{more} more polls", lambda: self.polls() >= enough)

    def run(self, word):
        """Une autre commande du programme, dans le même environnement : son code, et tout ce qu'elle a dit."""
        done = subprocess.run(
            [self.stage.means.program, word], env=self.environment, cwd=self.stage.folder, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def rows(self, sql):
        with contextlib.closing(sqlite3.connect(f"file:{self.base}?mode=ro", uri=True)) as base:
            return base.execute(sql).fetchall()

    def follows(self, target):
        """Un signal est dit et suivi jusqu'au bout ; les livres sont justes, réels ceux de la bourse aussi."""
        journal = self.stage.world.journal
        orders, trades = len(journal()), len(self.json("/api/trades"))
        name = self.stage.world.tell(f"target {target}")
        # Le premier est suivi par la synchronisation initiale.
        newest = lambda: [(row["signal_id"], row["status"]) for row in self.json("/api/signals?limit=1")]
        until(f"signal {name} is followed", lambda: newest() in ([(name, "executed")], [(name, "skipped")]))
        orders, trades = journal()[orders:], len(self.json("/api/trades")) - trades
        expect(trades > 0, f"signal {name} is traded")
        expect([order.status for order in orders] == (["FILLED"] * trades if self.mode == LIVE else []), f"orders: {orders}")
        until("trading is open", lambda: self.json("/api/exchange")["trading_open"] in (True, None))
        code, said = self.run("verify")
        expect(code == 0, f"the books are right: {said}")
        until("/health finds the clock right", lambda: self.json("/health")["clock"] == "right")

    def does_nothing(self, reason, remedy):
        """Quelques tours où rien n'est demandé ni écrit, et où la raison est dite partout. `remedy` : ce qu'il faut faire de
        l'horloge de cette machine, si elle peut y être pour quelque chose ; sinon elle n'est pas accusée."""
        self.wait_polls(3)
        status, exchange, health = (self.json(path) for path in ("/api/agent/status", "/api/exchange", "/health"))
        expect(not status["leader"]["connected"] and not exchange["trading_open"], "nothing is reached")
        unknown = {row["what"]: row["reason"] for row in status["unknown"]}
        told = {"the log": self.log.read_text(), "/health": health["clock"], "the clock": unknown["clock"],
                "a price": unknown["price BTCUSDC"], "the leader": status["leader"]["error"]}
        if self.mode == LIVE:
            told["what closes trading"] = exchange["closed_reason"]
        for where, text in told.items():
            expect(reason in text, f"{where} says {reason!r}: {text}")
        for where in ("the log", "/health", "the clock"):
            said = (remedy or "timedatectl") in told[where]
            expect(said == bool(remedy), f"{where} tells to set the clock: {said}, in {told[where]}")
        once = told["the log"].count("not_following") == 1 and " ERROR " not in told["the log"]
        expect(once, f"the log says it once: {told['the log']}")
        expect(self.stage.world.journal() == [], "no order is sent")
        expect([front.heads for front in self.stage.fronts] == [[], []], "nothing is asked of who is not trusted")
        for table in ("movements", "signals", "intents", "trades", "snapshots"):
            expect(self.rows(f"SELECT * FROM {table}") == [], f"nothing is written in {table}")

    def has_no_other_date(self):
        """Aucune date de la base, où qu'elle soit écrite, n'est d'une autre heure que celle-ci."""
        dates = []
        for (table,) in self.rows("SELECT name FROM sqlite_schema WHERE type = 'table'"):
            for column in [row[1] for row in self.rows(f"PRAGMA table_info({table})")]:
                if column == "at" or column.endswith("_at"):
                    found = self.rows(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
                    dates += [(f"{table}.{column}", date / 1000) for (date,) in found]
        expect(len(dates) > 20, f"the ledger has dates: {dates}")
        wrong = [(where, date) for where, date in dates if abs(date - time.time()) > 600]
        expect(not wrong, f"no date of the ledger is wrong: {wrong}")


def free_port():
    """Hors de ceux que le système prête aux connexions : une autre scène pourrait le recevoir avant le démon."""
    while True:
        port = random.randrange(20_000, 30_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def until(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        expect(time.monotonic() < deadline, f"{what}: not within {PATIENCE} s")
        time.sleep(0.1)


def expect(truth, what):
    if not truth:
        raise AssertionError(what)
