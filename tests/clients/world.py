"""Le monde simulé, dans son propre processus, et les livres de sa bourse.

Ce que la bourse a fait se lit ici, jamais dans ses réponses. Tout montant est un `Decimal`.
"""

import json
import subprocess
from dataclasses import dataclass
from decimal import Decimal

PATIENCE = 60


@dataclass(frozen=True)
class Order:
    """Un ordre accepté, tel que la bourse et un client doivent le dire tous les deux."""

    id: int
    client_id: str
    pair: str
    side: str
    status: str
    quantity: Decimal
    executed: Decimal
    quote: Decimal


@dataclass(frozen=True)
class Fill:
    """Une exécution, et ce qu'elle a coûté."""

    trade_id: int
    order_id: int
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str


class World:
    """Une bourse neuve ; `tell` la règle, une ligne par geste (`examples/world/command.rs`)."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.environment = dict(self._line().split("=", 1) for _ in range(5))
        self.url = self.environment["BINANCE_URL"]
        self.key = self.environment["BINANCE_API_KEY"]
        self.secret = self.environment["BINANCE_API_SECRET"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def tell(self, line):
        print(line, file=self.process.stdin, flush=True)
        answer = self._line()
        if answer.startswith("error: "):
            raise ValueError(f"{line}: {answer}")
        return json.loads(answer)

    def journal(self):
        """Tous les ordres acceptés, dans l'ordre, même ceux qu'un client n'a pas su."""
        return [
            Order(
                order["id"], order["client_id"], order["pair"], order["side"], order["status"],
                Decimal(order["quantity"]), Decimal(order["executed"]), Decimal(order["quote"]),
            )
            for order in self.tell("journal")
        ]

    def fills(self):
        return [
            Fill(
                fill["trade_id"], order["id"], Decimal(fill["price"]), Decimal(fill["quantity"]),
                Decimal(fill["commission"]), fill["commission_asset"],
            )
            for order in self.tell("journal")
            for fill in order["fills"]
        ]

    def balances(self):
        """Ce que le compte a de libre, par actif ; un solde nul n'y est pas."""
        free = {asset: Decimal(held["free"]) for asset, held in self.tell("balances").items()}
        return {asset: amount for asset, amount in free.items() if amount}

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulated world ended with {self.process.wait(PATIENCE)}")
        return line.rstrip("\n")
