"""Les champs des réponses, contre les modèles du connecteur officiel : rien d'inventé, rien d'oublié.

Un champ inconnu d'un modèle y reste à part ; un champ qu'aucune réponse n'apporte y reste vide.
"""

import pytest
from clients import OfficialConnector
from pydantic import BaseModel

# Ce que le modèle de la réponse à un ordre ne déclare pas, et que la documentation annonce.
UNDECLARED = {"strategyId", "strategyType", "expiryReason"}
# Ce que la vraie bourse n'écrit que pour les ordres qu'un compte au marché ne fait pas, ou pour d'autres appels.
CONDITIONAL = {
    "count", "sors", "price_exponent", "qty_exponent", "multiplier_exponent",
    "prevented_match_id", "prevented_quantity", "trailing_delta", "trailing_time", "used_sor", "working_floor",
    "peg_price_type", "peg_offset_type", "peg_offset_value", "pegged_price",
}


def undeclared(answer):
    return {name for model in models(answer) for name in getattr(model, "additional_properties", {})}


def absent(answer):
    return {
        name
        for model in models(answer)
        for name, value in model
        if value is None and not hasattr(model, "actual_instance")
    }


def models(value):
    """Tous les modèles d'une réponse ; une alternative n'est que le modèle qu'elle a choisi."""
    if isinstance(value, list):
        for each in value:
            yield from models(each)
    elif getattr(value, "actual_instance", None) is not None:
        yield from models(value.actual_instance)
    elif isinstance(value, BaseModel):
        yield value
        for _, each in value:
            yield from models(each)


def buy(api, **changes):
    return api.new_order("BTCUSDC", "BUY", "MARKET", new_client_order_id="labelled", strategy_id=7,
                         strategy_type=1_000_000, **changes)


CALLS = {
    "exchangeInfo": lambda api: api.exchange_info(),
    "account": lambda api: api.get_account(),
    "account/commission": lambda api: api.account_commission("BTCUSDC"),
    "avgPrice": lambda api: api.avg_price("BTCUSDC"),
    "depth": lambda api: api.depth("BTCUSDC"),
    "executionRules": lambda api: api.execution_rules(),
    "order": lambda api: api.get_order("BTCUSDC", orig_client_order_id="labelled"),
    "order, placed": lambda api: buy(api, quantity="0.001"),
    "order/test": lambda api: api.order_test(
        "BTCUSDC", "BUY", "MARKET", quantity="0.001", compute_commission_rates=True),
    "allOrders": lambda api: api.all_orders("BTCUSDC"),
    "openOrders": lambda api: api.get_open_orders(),
    "myTrades": lambda api: api.my_trades("BTCUSDC"),
    "rateLimit/order": lambda api: api.rate_limit_order(),
    "ticker/bookTicker": lambda api: api.ticker_book_ticker(symbols=["BTCUSDC", "ETHUSDC"]),
    "ticker/price": lambda api: api.ticker_price(symbol="BTCUSDC"),
    "time": lambda api: api.time(),
}


@pytest.mark.parametrize("call", CALLS)
def test_an_answer_has_the_fields_of_its_model(world, call):
    api = OfficialConnector(world).client
    buy(api, quote_order_qty="25")
    world.tell("empty-book BTCUSDC")
    buy(api, quantity="0.001")
    world.tell("rest-buy BTCUSDC 50000 0.001 resting")
    answer = CALLS[call](api).data()
    assert answer
    assert undeclared(answer) <= UNDECLARED
    assert absent(answer) - CONDITIONAL <= {"strategy_id", "strategy_type", "expiry_reason"}
