"""Chaque refus de la bourse arrive à chaque client sous l'exception que ce client lui destine.

Une ligne par refus, que la bourse prononce d'elle-même : aucun n'est dicté.
"""

from dataclasses import dataclass, field

import ccxt
import pytest
from clients import Refusal


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    params: dict
    signed: bool = True


@dataclass(frozen=True)
class Case:
    request: Request
    refusal: Refusal
    # Les gestes qui mettent la bourse en état de refuser, et les réglages du client.
    scene: tuple = ()
    options: dict = field(default_factory=dict)


def order(**changes):
    """Un achat de 25 USDC, autrement ; `None` retire un paramètre."""
    params = {"symbol": "BTCUSDC", "side": "BUY", "type": "MARKET", "quoteOrderQty": "25", **changes}
    return Request("POST", "order", {name: value for name, value in params.items() if value is not None})


def by_quantity(quantity, **changes):
    return order(quoteOrderQty=None, quantity=quantity, **changes)


def read(path, **params):
    return Request("GET", path, params)


def public(path, **params):
    return Request("GET", path, params, signed=False)


def refused(code, text, kind, status=400):
    return Refusal(status, code, text, kind)


def rejected(text, kind=ccxt.InvalidOrder):
    return refused(-2010, text, kind)


RESTING = "rest-buy BTCUSDC 50000 0.001 resting"

CASES = [
    # Filtres.
    Case(by_quantity("0.000375"), refused(-1013, "LOT_SIZE", ccxt.InvalidOrder)),
    Case(order(quoteOrderQty="0.5"), refused(-1013, "LOT_SIZE", ccxt.InvalidOrder)),
    Case(by_quantity("150"), refused(-1013, "MARKET_LOT_SIZE", ccxt.InvalidOrder)),
    Case(by_quantity("0.00002"), refused(-1013, "Filter failure: NOTIONAL", ccxt.BadRequest)),
    Case(
        by_quantity("0.00002"),
        refused(-1013, "Filter failure: MIN_NOTIONAL", ccxt.BadRequest),
        ("rule BTCUSDC min-notional-filter",),
    ),
    Case(order(), refused(-1013, "MAX_POSITION", ccxt.BadRequest), ("rule BTCUSDC max-position 0.0001",)),
    Case(by_quantity("0.00000000"), refused(-1013, "Invalid quantity.", ccxt.BadRequest)),
    Case(order(), refused(-1013, "Market is closed.", ccxt.MarketClosed), ("status BTCUSDC HALT",)),
    Case(order(), refused(-1013, "Market is closed.", ccxt.MarketClosed), ("status BTCUSDC BREAK",)),
    # Formes et combinaisons.
    Case(order(type="STOP_LOSS", stopPrice="60000"), refused(-1014, "Unsupported order", ccxt.InvalidOrder)),
    Case(by_quantity(1e-05), refused(-1100, "'quantity'", ccxt.BadRequest)),
    Case(by_quantity("-1"), refused(-1100, "'quantity'", ccxt.BadRequest)),
    Case(order(quoteOrderQty=1e-05), refused(-1100, "'quoteOrderQty'", ccxt.BadRequest)),
    Case(order(newClientOrderId="a.b"), refused(-1100, "'newClientOrderId'", ccxt.BadRequest)),
    Case(order(newClientOrderId="a" * 37), refused(-1100, "'newClientOrderId'", ccxt.BadRequest)),
    Case(order(symbol="btcusdc"), refused(-1100, "'symbol'", ccxt.BadRequest)),
    Case(public("avgPrice", symbol="BTCUSDC", limit="5"), refused(-1101, "Too many parameters", ccxt.BadRequest)),
    Case(order(symbol=None), refused(-1102, "'symbol'", ccxt.BadRequest)),
    Case(order(side=None), refused(-1102, "'side'", ccxt.BadRequest)),
    Case(order(quoteOrderQty=None), refused(-1102, "must be sent", ccxt.BadRequest)),
    Case(read("order", symbol="BTCUSDC"), refused(-1102, "must be sent", ccxt.BadRequest)),
    Case(order(leverage="5"), refused(-1104, "Not all sent parameters", ccxt.BadRequest)),
    Case(by_quantity(""), refused(-1105, "'quantity' was empty", ccxt.BadRequest)),
    Case(order(timeInForce="GTC"), refused(-1106, "'timeInForce'", ccxt.BadRequest)),
    Case(read("order", symbol="BTCUSDC", orderId="9" * 20), refused(-1108, "'orderId'", ccxt.BadSymbol)),
    Case(by_quantity("0.000000001"), refused(-1111, "too much precision", ccxt.BadRequest)),
    Case(order(type="HOPE"), refused(-1116, "Invalid orderType.", ccxt.BadRequest)),
    Case(order(side="HOLD"), refused(-1117, "Invalid side.", ccxt.BadRequest)),
    Case(order(symbol="NOPEUSDC"), refused(-1121, "Invalid symbol.", ccxt.BadSymbol)),
    Case(public("exchangeInfo", symbol="NOPEUSDC"), refused(-1121, "Invalid symbol.", ccxt.BadSymbol)),
    Case(
        read("allOrders", symbol="BTCUSDC", startTime=1_790_000_000_000, endTime=1_790_100_000_000),
        refused(-1127, "More than 24 hours", ccxt.BadRequest),
    ),
    Case(order(quantity="0.001"), refused(-1128, "Combination", ccxt.BadRequest)),
    Case(
        read("myTrades", symbol="BTCUSDC", orderId=1, startTime=1_790_000_000_000),
        refused(-1128, "Combination", ccxt.BadRequest),
    ),
    Case(order(newOrderRespType="LONG"), refused(-1130, "'newOrderRespType'", ccxt.BadRequest)),
    # Les codes sans entrée commune : ccxt ne les distingue qu'à l'adresse de la vraie bourse.
    Case(read("account"), refused(-1131, "recvWindow", ccxt.ExchangeError), options={"recv_window": 60_001}),
    Case(order(strategyType=5), refused(-1134, "strategyType", ccxt.ExchangeError)),
    Case(
        public("ticker/price", symbols='["BTCUSDC","BTCUSDC"]'),
        refused(-1151, "multiple times", ccxt.ExchangeError),
    ),
    Case(
        public("ticker/price", symbol="BTCUSDC", symbolStatus="HALT"),
        refused(-1220, "status", ccxt.ExchangeError),
    ),
    Case(public("referencePrice", symbol="BTCUSDC"), refused(-2043, "reference price", ccxt.ExchangeError)),
    # Heure, signature, clé.
    Case(read("account"), refused(-1021, "outside of the recvWindow", ccxt.InvalidNonce), ("skew-ms 120000",)),
    Case(read("account"), refused(-1021, "ahead of the server", ccxt.InvalidNonce), ("skew-ms -120000",)),
    Case(
        read("account"),
        refused(-1022, "Signature", ccxt.AuthenticationError),
        options={"secret": "not the secret"},
    ),
    Case(read("account"), refused(-2014, "API-key", ccxt.AuthenticationError, 401), options={"key": ""}),
    Case(read("account"), refused(-2015, "API-key", ccxt.AuthenticationError, 401), options={"key": "unknown"}),
    Case(order(), refused(-2015, "permissions", ccxt.AuthenticationError, 401), ("freeze-key",)),
    # Débit.
    Case(public("ping"), refused(-1003, "Too much request weight", ccxt.DDoSProtection, 429), ("weight-limit 0",)),
    Case(order(), refused(-1015, "Too many new orders", ccxt.DDoSProtection, 429), ("order-limit 0",)),
    # Le moteur.
    Case(order(quoteOrderQty="1001"), rejected("Account has insufficient balance", ccxt.InsufficientFunds)),
    Case(by_quantity("0.001", side="SELL"), rejected("insufficient balance", ccxt.InsufficientFunds)),
    Case(order(newClientOrderId="resting"), rejected("Duplicate order sent."), (RESTING,)),
    Case(order(), rejected("This order type is not possible", ccxt.BadRequest), ("status BTCUSDC CANCEL_ONLY",)),
    Case(order(), rejected("may not place or cancel orders", ccxt.PermissionDenied), ("freeze-account",)),
    Case(order(), rejected("This symbol is not permitted"), ("rule BTCUSDC no-spot-trading",)),
    Case(order(), rejected("Market orders are not supported"), ("rule BTCUSDC no-market-orders",)),
    Case(order(), rejected("Quote order qty market orders"), ("rule BTCUSDC no-quote-orders",)),
    Case(order(), rejected("Order book liquidity is less than LOT_SIZE"), ("empty-book BTCUSDC",)),
    # Les ordres qu'on demande.
    Case(read("order", symbol="BTCUSDC", orderId=1), refused(-2013, "does not exist", ccxt.OrderNotFound)),
    Case(
        read("order", symbol="BTCUSDC", orderId=100_001, origClientOrderId="other"),
        refused(-2039, "Client order ID", ccxt.ExchangeError),
        (RESTING,),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.refusal.code}-{case.refusal.text}")
def test_a_refusal_reaches_the_client_as_what_it_is_and_orders_nothing(world, make_client, case):
    for line in case.scene:
        world.tell(line)
    request = case.request
    with pytest.raises(Exception) as caught:
        make_client(**case.options).call(request.method, request.path, request.signed, dict(request.params))
    assert make_client().recognizes(case.refusal, caught.value), repr(caught.value)
    assert world.journal() == []


def test_insisting_past_the_limit_ends_in_a_ban(world, client):
    banned = refused(-1003, "IP banned until", ccxt.DDoSProtection, 418)
    world.tell("weight-limit 0")
    errors = []
    for _ in range(11):
        with pytest.raises(Exception) as caught:
            client.call("GET", "ping", False, {})
        errors.append(caught.value)
    assert [client.recognizes(banned, error) for error in errors] == [False] * 10 + [True]
