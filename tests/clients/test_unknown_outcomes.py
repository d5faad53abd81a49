"""La réponse se perd : l'ordre a pu être exécuté, une fois, deux fois, ou pas. Seul le journal le sait."""

import ccxt
import pytest
from clients import Refusal

NOT_FOUND = Refusal(400, -2013, "Order does not exist.", ccxt.OrderNotFound)

# Ce que la bourse fait de la requête, ce qui arrive au fil, et combien d'ordres en sont nés.
CUTS = [
    (handling, wire, count)
    for handling, count in (("skipped", 0), ("once", 1), ("twice", 2))
    for wire in ("truncate", "close", "reset")
]


@pytest.mark.parametrize("handling, wire, count", CUTS)
def test_an_order_whose_answer_is_cut_is_found_as_often_as_it_was_accepted(world, client, handling, wire, count):
    world.tell(f"fault /api/v3/order POST 1 {handling} {wire}")
    with pytest.raises(client.lost):
        client.buy("BTCUSDC", "25", "cut")
    # Aucun de ces clients ne renvoie un ordre de lui-même.
    assert world.tell("calls /api/v3/order") == 1
    journal = world.journal()
    assert [order.client_id for order in journal] == ["cut"] * count
    assert client.orders("BTCUSDC") == journal
    assert client.fills("BTCUSDC") == world.fills()
    assert client.balances() == world.balances()
    if journal:
        assert client.order("BTCUSDC", "cut") == journal[-1]
    else:
        with pytest.raises(Exception) as caught:
            client.order("BTCUSDC", "cut")
        assert client.recognizes(NOT_FOUND, caught.value)


def test_an_order_delivered_twice_is_two_orders(world, client):
    world.tell("fault /api/v3/order POST 1 twice as-is")
    told = client.buy("BTCUSDC", "25", "echo")
    first, second = world.journal()
    assert (told, first.client_id) == (second, "echo")
    assert client.orders("BTCUSDC") == [first, second]
    assert client.balances() == world.balances()


def test_the_id_of_an_executed_order_protects_from_nothing(world, client):
    for _ in range(2):
        client.buy("BTCUSDC", "25", "same")
    first, second = world.journal()
    assert first.client_id == second.client_id == "same"
    assert client.order("BTCUSDC", "same") == second
    assert client.orders("BTCUSDC") == [first, second]


def test_an_order_stays_unseen_while_the_reads_lag(world, client):
    before = client.balances()
    bought = client.buy("BTCUSDC", "25", "late")
    for view in ("order", "allOrders", "myTrades", "account"):
        world.tell(f"lag-reads {view} 1")
    with pytest.raises(Exception) as caught:
        client.order("BTCUSDC", "late")
    assert client.recognizes(NOT_FOUND, caught.value)
    assert (client.orders("BTCUSDC"), client.fills("BTCUSDC"), client.balances()) == ([], [], before)
    assert client.order("BTCUSDC", "late") == bought
    assert client.orders("BTCUSDC") == world.journal()
    assert client.fills("BTCUSDC") == world.fills()
    assert client.balances() == world.balances()


def test_a_wiped_exchange_forgets_the_order_and_the_journal_does_not(world, client):
    client.buy("BTCUSDC", "25", "gone")
    world.tell("wipe")
    with pytest.raises(Exception) as caught:
        client.order("BTCUSDC", "gone")
    assert client.recognizes(NOT_FOUND, caught.value)
    assert client.orders("BTCUSDC") == []
    assert client.balances() == world.balances()
    assert len(world.journal()) == 1
