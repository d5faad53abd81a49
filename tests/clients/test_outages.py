"""Ce qui répond à la place de la bourse : ses machines en panne, son pare-feu. Une réponse dictée, un ordre exécuté
ou non derrière elle ; le client doit reconnaître la première et ne rien croire du second."""

import ccxt
import pytest
from clients import Refusal

# Répondu que l'ordre soit exécuté ou non.
UNKNOWN = [
    Refusal(500, -1000, "An unknown error occurred while processing the request.", ccxt.OperationFailed),
    Refusal(500, -1001, "Internal error; unable to process your request.", ccxt.OperationFailed),
    Refusal(500, -1006, "Execution status unknown.", ccxt.OperationFailed),
    Refusal(504, -1007, "Timeout waiting for response from backend server.", ccxt.RequestTimeout),
    # ccxt ne connaît -1008 et -2008 qu'à l'adresse de la vraie bourse.
    Refusal(503, -1008, "Server is currently overloaded.", ccxt.ExchangeError),
]
# Répondu sans que l'ordre soit regardé.
TURNED_AWAY = [
    Refusal(401, -1002, "You are not authorized to execute this request.", ccxt.AuthenticationError),
    Refusal(400, -1016, "This service is no longer available.", ccxt.BadRequest),
    Refusal(400, -1020, "This operation is not supported.", ccxt.BadRequest),
    Refusal(401, -2008, "Invalid Api-Key ID.", ccxt.ExchangeError),
    Refusal(400, -2010, "This action is disabled on this account.", ccxt.InvalidOrder),
    Refusal(400, -2010, "Rest API trading is not enabled.", ccxt.PermissionDenied),
    Refusal(451, 0, "Service unavailable from a restricted location", ccxt.ExchangeNotAvailable),
]
# Sans code ni JSON, parfois sans corps.
SPEECHLESS = {
    "html 403": Refusal(403, 0, "", ccxt.ExchangeNotAvailable),
    "html 502": Refusal(502, 0, "", ccxt.ExchangeNotAvailable),
    "empty 504": Refusal(504, 0, "", ccxt.RequestTimeout),
}


def dictated(refusal):
    return f"refusal {refusal.status} {refusal.code} {refusal.text}"


ANSWERS = {
    **{f"once {dictated(refusal)}": refusal for refusal in UNKNOWN},
    **{f"skipped {dictated(refusal)}": refusal for refusal in UNKNOWN + TURNED_AWAY},
    **{f"{handling} {wire}": refusal for handling in ("once", "skipped") for wire, refusal in SPEECHLESS.items()},
}


@pytest.mark.parametrize("fault, refusal", ANSWERS.items(), ids=ANSWERS)
def test_an_answer_from_elsewhere_says_nothing_of_the_order(world, client, fault, refusal):
    world.tell(f"fault /api/v3/order POST 1 {fault}")
    with pytest.raises(Exception) as caught:
        client.buy("BTCUSDC", "25", "lost")
    assert client.recognizes(refusal, caught.value), repr(caught.value)
    assert world.tell("calls /api/v3/order") == 1
    assert [order.client_id for order in world.journal()] == ["lost"] * fault.startswith("once")
    assert client.orders("BTCUSDC") == world.journal()
