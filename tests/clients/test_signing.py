"""Ce qui est signé est ce qui part : par secret partagé ou par paire de clés, tel qu'encodé sur le fil."""

import ccxt
import pytest
from clients import PythonBinance, Refusal
from Crypto.PublicKey import ECC

BAD_SIGNATURE = Refusal(400, -1022, "Signature", ccxt.AuthenticationError)


def buy(client, **changes):
    order = {"symbol": "BTCUSDC", "side": "BUY", "type": "MARKET", "quoteOrderQty": "25", **changes}
    return client.call("POST", "order", True, order)


def test_a_key_pair_signs_orders_and_reads(world, make_client):
    pair, stranger = ECC.generate(curve="Ed25519"), ECC.generate(curve="Ed25519")
    # Sur une ligne, sans ce qui l'entoure.
    world.tell("public-key " + "".join(pair.public_key().export_key(format="PEM").splitlines()[1:-1]))
    client = make_client(private_key=pair.export_key(format="PEM"))
    bought = client.buy("BTCUSDC", "25", "signed")
    assert [bought] == client.orders("BTCUSDC") == world.journal()
    for refused in (make_client(private_key=stranger.export_key(format="PEM")), make_client()):
        with pytest.raises(Exception) as caught:
            buy(refused)
        assert refused.recognizes(BAD_SIGNATURE, caught.value), repr(caught.value)
    assert len(world.journal()) == 1


@pytest.mark.parametrize(
    "name, value",
    [("quoteOrderQty", "2,5"), ("newClientOrderId", "a b"), ("newClientOrderId", "a+b"), ("newClientOrderId", "é")],
)
def test_a_value_is_signed_as_it_is_encoded(world, client, name, value):
    with pytest.raises(Exception) as caught:
        buy(client, **{name: value})
    # python-binance signe le texte nu, puis l'encode : depuis 2026 la vraie bourse le refuse ainsi, elle aussi.
    illegal = Refusal(400, -1100, f"'{name}'", ccxt.BadRequest)
    expected = BAD_SIGNATURE if isinstance(client, PythonBinance) else illegal
    assert client.recognizes(expected, caught.value), repr(caught.value)
    assert world.journal() == []
