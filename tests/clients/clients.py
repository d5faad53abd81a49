"""Trois clients que d'autres ont écrits, chacun mené à la bourse simulée et lu sous une même forme.

Rien de leur fonctionnement n'est remplacé : on leur donne une adresse, une clé, un délai plus long que la pire
lenteur de la machine. Les montants leur sont donnés et repris en texte ou en `Decimal`.
"""

from dataclasses import dataclass
from decimal import Decimal

import binance_common.errors
import ccxt
import requests
from binance.client import Client
from binance.exceptions import BinanceAPIException
from binance_common.utils import send_request
from binance_sdk_spot.spot import ConfigurationRestAPI, Spot

from world import PATIENCE, Fill, Order


@dataclass(frozen=True)
class Rules:
    """Ce qu'un client retient des règles d'une paire."""

    tick: Decimal
    step: Decimal
    min_notional: Decimal


@dataclass(frozen=True)
class Refusal:
    """Ce que la bourse répond quand elle refuse, et l'exception que ccxt en fait."""

    status: int
    code: int
    text: str
    ccxt: type


class PythonBinance:
    """python-binance : un POST porte tout dans son corps."""

    lost = requests.exceptions.RequestException

    def __init__(self, world, key=None, secret=None, private_key=None, recv_window=None):
        class Local(Client):
            API_URL = f"{world.url}/api"
            MARGIN_API_URL = f"{world.url}/sapi"

        self.client = Local(
            world.key if key is None else key,
            secret or world.secret,
            private_key=private_key,
            requests_params={"timeout": PATIENCE},
            ping=False,
        )
        if recv_window:
            self.client.REQUEST_RECVWINDOW = recv_window

    def rules(self):
        return {
            symbol["symbol"]: rules({limit["filterType"]: limit for limit in symbol["filters"]})
            for symbol in self.client.get_exchange_info()["symbols"]
        }

    def buy(self, pair, amount, client_id):
        return order(self.client.order_market_buy(symbol=pair, quoteOrderQty=amount, newClientOrderId=client_id))

    def sell(self, pair, quantity, client_id):
        return order(self.client.order_market_sell(symbol=pair, quantity=quantity, newClientOrderId=client_id))

    def order(self, pair, client_id):
        return order(self.client.get_order(symbol=pair, origClientOrderId=client_id))

    def orders(self, pair):
        return [order(record) for record in self.client.get_all_orders(symbol=pair)]

    def fills(self, pair):
        return [fill(trade) for trade in self.client.get_my_trades(symbol=pair)]

    def balances(self):
        return balances(self.client.get_account()["balances"])

    def call(self, method, path, signed, params):
        return self.client._request_api(method.lower(), path, signed, data=params)

    def recognizes(self, refusal, error):
        return (
            type(error) is BinanceAPIException
            and (error.status_code, error.code) == (refusal.status, refusal.code)
            and refusal.text in error.message
        )


class Ccxt:
    """ccxt : forme unifiée, en textes ; sa table d'erreurs dépend du texte du refus autant que du code."""

    lost = ccxt.NetworkError

    def __init__(self, world, key=None, secret=None, private_key=None, recv_window=None):
        self.client = ccxt.binance({
            "apiKey": world.key if key is None else key,
            "secret": private_key or secret or world.secret,
            "number": str,
            "timeout": PATIENCE * 1000,
            "enableRateLimit": False,
            # Sans clé, c'est la bourse qui doit refuser, pas le client.
            "requiredCredentials": {"apiKey": False, "secret": True},
            "options": {
                "fetchMarkets": {"types": ["spot"]},
                "fetchCurrencies": False,
                "fetchMargins": False,
                **({"recvWindow": recv_window} if recv_window else {}),
            },
        })
        for name, path in (("public", "/api/v3"), ("private", "/api/v3"), ("sapi", "/sapi/v1")):
            self.client.urls["api"][name] = world.url + path

    def rules(self):
        markets = self.client.load_markets().values()
        return {
            market["id"]: Rules(
                Decimal(market["precision"]["price"]),
                Decimal(market["precision"]["amount"]),
                Decimal(market["limits"]["cost"]["min"]),
            )
            for market in markets
        }

    def buy(self, pair, amount, client_id):
        params = {"quoteOrderQty": amount, "newClientOrderId": client_id}
        return self._order(self.client.create_order(self._symbol(pair), "market", "buy", None, None, params))

    def sell(self, pair, quantity, client_id):
        params = {"newClientOrderId": client_id}
        return self._order(self.client.create_order(self._symbol(pair), "market", "sell", quantity, None, params))

    def order(self, pair, client_id):
        return self._order(self.client.fetch_order(None, self._symbol(pair), {"origClientOrderId": client_id}))

    def orders(self, pair):
        return [self._order(record) for record in self.client.fetch_orders(self._symbol(pair))]

    def fills(self, pair):
        return [
            Fill(
                int(trade["id"]), int(trade["order"]), Decimal(trade["price"]), Decimal(trade["amount"]),
                Decimal(trade["fee"]["cost"]), trade["fee"]["currency"],
            )
            for trade in self.client.fetch_my_trades(self._symbol(pair))
        ]

    def balances(self):
        free = self.client.fetch_balance()["free"]
        return {asset: Decimal(amount) for asset, amount in free.items() if Decimal(amount)}

    def call(self, method, path, signed, params):
        return self.client.request(path, ["private" if signed else "public"], method, params)

    def recognizes(self, refusal, error):
        return type(error) is refusal.ccxt and refusal.text in str(error)

    def _symbol(self, pair):
        self.client.load_markets()
        return self.client.market(pair)["symbol"]

    def _order(self, record):
        status = {"open": "NEW", "closed": "FILLED", "expired": "EXPIRED"}[record["status"]]
        return Order(
            int(record["id"]), record["clientOrderId"], self.client.market(record["symbol"])["id"],
            record["side"].upper(), status,
            Decimal(record["amount"]), Decimal(record["filled"]), Decimal(record["cost"]),
        )


class OfficialConnector:
    """Le connecteur officiel : un POST porte tout dans sa requête, et chaque réponse passe par un modèle typé."""

    lost = binance_common.errors.NetworkError

    def __init__(self, world, key=None, secret=None, private_key=None, recv_window=None):
        self.recv_window = recv_window
        self.configuration = ConfigurationRestAPI(
            api_key=world.key if key is None else key,
            api_secret=None if private_key else secret or world.secret,
            private_key=private_key,
            base_path=world.url,
            timeout=PATIENCE * 1000,
        )
        self.client = Spot(config_rest_api=self.configuration).rest_api

    def rules(self):
        return {
            symbol.symbol: rules({
                limit.actual_instance.filter_type: limit.actual_instance.to_dict() for limit in symbol.filters
            })
            for symbol in self.client.exchange_info().data().symbols
        }

    def buy(self, pair, amount, client_id):
        answer = self.client.new_order(pair, "BUY", "MARKET", quote_order_qty=amount, new_client_order_id=client_id)
        return order(answer.data().to_dict())

    def sell(self, pair, quantity, client_id):
        answer = self.client.new_order(pair, "SELL", "MARKET", quantity=quantity, new_client_order_id=client_id)
        return order(answer.data().to_dict())

    def order(self, pair, client_id):
        return order(self.client.get_order(pair, orig_client_order_id=client_id).data().to_dict())

    def orders(self, pair):
        return [order(record.to_dict()) for record in self.client.all_orders(pair).data()]

    def fills(self, pair):
        return [fill(trade.to_dict()) for trade in self.client.my_trades(pair).data()]

    def balances(self):
        return balances(self.client.get_account().data().to_dict()["balances"])

    def call(self, method, path, signed, params):
        # `RestAPI.send_signed_request` de la 13.2.0 échoue avant d'envoyer ; ceci est ce qu'elle voulait appeler.
        if self.recv_window:
            params = {**params, "recvWindow": self.recv_window}
        return send_request(
            self.client._session, self.configuration, method, f"/api/v3/{path}", params,
            is_signed=signed, signer=self.client._signer,
        ).data()

    def recognizes(self, refusal, error):
        if refusal.status >= 500:
            # Le connecteur ne lit pas le corps d'une panne : ni code ni texte.
            return type(error) is binance_common.errors.ServerError and error.status_code == refusal.status
        kind = {
            400: binance_common.errors.BadRequestError,
            401: binance_common.errors.UnauthorizedError,
            403: binance_common.errors.ForbiddenError,
            404: binance_common.errors.NotFoundError,
            418: binance_common.errors.RateLimitBanError,
            429: binance_common.errors.TooManyRequestsError,
        }.get(refusal.status, binance_common.errors.ClientError)
        known_code = getattr(error, "status_code", None) or refusal.code
        return type(error) is kind and known_code == refusal.code and refusal.text in error.error_message


CLIENTS = [PythonBinance, Ccxt, OfficialConnector]


def rules(filters):
    return Rules(
        Decimal(filters["PRICE_FILTER"]["tickSize"]),
        Decimal(filters["LOT_SIZE"]["stepSize"]),
        Decimal(filters["NOTIONAL"]["minNotional"]),
    )


def order(record):
    return Order(
        record["orderId"], record["clientOrderId"], record["symbol"], record["side"], record["status"],
        Decimal(record["origQty"]), Decimal(record["executedQty"]), Decimal(record["cummulativeQuoteQty"]),
    )


def fill(trade):
    return Fill(
        trade["id"], trade["orderId"], Decimal(trade["price"]), Decimal(trade["qty"]),
        Decimal(trade["commission"]), trade["commissionAsset"],
    )


def balances(records):
    free = {record["asset"]: Decimal(record["free"]) for record in records}
    return {asset: amount for asset, amount in free.items() if amount}
