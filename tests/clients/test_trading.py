"""Ce que fait un client honnête devant une bourse saine, et ses comptes contre ceux de la bourse."""

from decimal import Decimal

import pytest
from clients import Rules

PAIRS = ["BTCUSDC", "ETHUSDC", "BNBUSDC", "SOLUSDC", "XRPUSDC", "EURUSDC"]


def test_every_pair_is_listed_with_its_rules(client):
    rules = [("0.01", "0.00001"), ("0.01", "0.0001"), ("0.01", "0.001"), ("0.01", "0.001"), ("0.0001", "0.1"),
             ("0.0001", "0.1")]
    expected = {pair: Rules(Decimal(tick), Decimal(step), Decimal(5)) for pair, (tick, step) in zip(PAIRS, rules)}
    assert client.rules() == expected


def test_the_account_holds_what_the_exchange_holds(world, client):
    world.tell("balance EUR 0.00000001")
    assert client.balances() == world.balances() == {"USDC": Decimal(1000), "EUR": Decimal("0.00000001")}


def test_an_order_by_amount_then_one_by_quantity_are_told_as_they_happened(world, client):
    world.tell("price BTCUSDC 68000")
    bought = client.buy("BTCUSDC", "100", "buy-1")
    assert [bought] == world.journal()
    assert (bought.status, bought.quantity, bought.executed) == ("FILLED", Decimal("0.00147"), Decimal("0.00147"))
    sold = client.sell("BTCUSDC", "0.00146", "sell-1")
    assert [bought, sold] == world.journal()
    assert (sold.status, sold.side, sold.executed) == ("FILLED", "SELL", Decimal("0.00146"))
    assert client.order("BTCUSDC", "buy-1") == bought
    assert client.order("BTCUSDC", "sell-1") == sold
    assert client.orders("BTCUSDC") == world.journal()
    assert client.fills("BTCUSDC") == world.fills()


def test_an_order_without_an_id_of_its_own_gets_one(world, client):
    client.call("POST", "order", True, {"symbol": "SOLUSDC", "side": "BUY", "type": "MARKET", "quoteOrderQty": "30"})
    [accepted] = world.journal()
    assert accepted.client_id
    assert client.order("SOLUSDC", accepted.client_id) == accepted


@pytest.mark.parametrize("bnb_fees", [False, True])
def test_a_day_of_trades_leaves_the_same_books_on_both_sides(world, client, bnb_fees):
    start = {"USDC": Decimal(1000), "BNB": Decimal("0.5")}
    world.tell("balance BNB 0.5")
    if bnb_fees:
        world.tell("bnb-fees")
    for number, pair in enumerate(PAIRS):
        # Assez pour traverser plusieurs niveaux du carnet.
        client.buy(pair, "400", f"buy-{number}")
        [*_, bought] = world.journal()
        # Ce qui reste après une commission prise sur l'actif acheté, au pas inférieur.
        step = client.rules()[pair].step
        kept = bought.executed * Decimal("0.99") // step * step
        client.sell(pair, str(kept), f"sell-{number}")
    assert len(world.fills()) > len(world.journal()) == 2 * len(PAIRS)
    assert [order for pair in PAIRS for order in client.orders(pair)] == world.journal()
    assert [fill for pair in PAIRS for fill in client.fills(pair)] == world.fills()
    assert client.balances() == world.balances() == settled(start, world)


def settled(start, world):
    """Les soldes que le journal impose, au dernier chiffre : départ, exécutions, commissions."""
    held = dict(start)
    orders = {order.id: order for order in world.journal()}
    for fill in world.fills():
        order = orders[fill.order_id]
        bought = fill.quantity if order.side == "BUY" else -fill.quantity
        for asset, change in (
            (order.pair.removesuffix("USDC"), bought),
            ("USDC", -bought * fill.price),
            (fill.commission_asset, -fill.commission),
        ):
            held[asset] = held.get(asset, Decimal(0)) + change
    return {asset: amount for asset, amount in held.items() if amount}


def test_an_order_that_an_empty_book_ends_is_told_as_expired(world, client):
    world.tell("empty-book ETHUSDC")
    client.call("POST", "order", True, {
        "symbol": "ETHUSDC", "side": "BUY", "type": "MARKET", "quantity": "0.01", "newClientOrderId": "dry",
    })
    [expired] = world.journal()
    assert (expired.status, expired.executed) == ("EXPIRED", Decimal(0))
    assert client.order("ETHUSDC", "dry") == expired
    assert client.fills("ETHUSDC") == []
