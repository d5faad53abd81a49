//! Les lectures signées : ordres, transactions, compte, clé. Formes de la fiche Binance, 2.3.
//!
//! Chacune regarde à travers sa vue, qui peut être en retard sur le moteur. Les listes sont en ordre croissant.

use rust_decimal::Decimal;

use super::key::Key;
use super::order::Order;
use super::params::Params;
use super::public::{filters, rate_limit};
use super::refusal::Refusal;
use super::state::{SameId, State};
use super::visibility::{Sight, View};
use crate::sim::json::{Json, object};

const DAY_MS: i64 = 86_400_000;

impl State {
    pub(super) fn query_order(&mut self, params: &Params) -> Result<Json, Refusal> {
        params.only(&["symbol", "orderId", "origClientOrderId"], true)?;
        let pair = self.one(params)?.pair;
        let key = Key::read(params)?;
        let now_ms = self.clock.now_ms();
        let sight = self.visibility.read(View::Order, now_ms);
        let mut found = self.seen(pair, sight).filter(|order| key.names(order));
        let order = match self.same_id {
            SameId::Earliest => found.next(),
            SameId::Latest => found.last(),
        };
        let order = order.ok_or_else(|| Refusal::new(-2013, "Order does not exist."))?;
        key.agrees(order)?;
        if order.is_archived(now_ms, self.archives_at_once) {
            let text =
                "Order was canceled or expired with no executed qty over 90 days ago and has been archived.";
            return Err(Refusal::new(-2026, text));
        }
        Ok(order.record(sight))
    }

    pub(super) fn open_orders(&mut self, params: &Params) -> Result<Json, Refusal> {
        params.only(&["symbol"], true)?;
        let pair = if params.get("symbol").is_some() { Some(self.one(params)?.pair) } else { None };
        let sight = self.visibility.read(View::Order, self.clock.now_ms());
        let open = self.orders.iter().filter(|order| {
            order.status_through(sight).is_open()
                && pair.is_none_or(|pair| order.pair == pair)
                && sight.sees(&order.stamp)
        });
        Ok(Json::List(open.map(|order| order.record(sight)).collect()))
    }

    pub(super) fn all_orders(&mut self, params: &Params) -> Result<Json, Refusal> {
        params.only(&["symbol", "orderId", "startTime", "endTime", "limit"], true)?;
        let pair = self.one(params)?.pair;
        let from = params.integer("orderId")?;
        let (start, end) = span(params)?;
        let now_ms = self.clock.now_ms();
        let sight = self.visibility.read(View::AllOrders, now_ms);
        let wanted = self.seen(pair, sight).filter(|order| {
            !order.is_archived(now_ms, self.archives_at_once)
                && from.is_none_or(|id| order.id >= id)
                && start.is_none_or(|start| order.time_ms >= start)
                && end.is_none_or(|end| order.time_ms <= end)
        });
        let list: Vec<Json> = wanted.map(|order| order.record(sight)).collect();
        Ok(Json::List(page(list, limit(params)?, from.is_some() || start.is_some())))
    }

    pub(super) fn my_trades(&mut self, params: &Params) -> Result<Json, Refusal> {
        params.only(&["symbol", "orderId", "startTime", "endTime", "fromId", "limit"], true)?;
        let pair = self.one(params)?.pair;
        let order_id = params.integer("orderId")?;
        let from = params.integer("fromId")?;
        let (start, end) = span(params)?;
        if (start.is_some() || end.is_some()) && (order_id.is_some() || from.is_some()) {
            return Err(Refusal::combination());
        }
        let sight = self.visibility.read(View::MyTrades, self.clock.now_ms());
        let orders = self.seen(pair, sight).filter(|order| {
            order_id.is_none_or(|id| order.id == id)
                && start.is_none_or(|start| order.time_ms >= start)
                && end.is_none_or(|end| order.time_ms <= end)
        });
        let trades = orders.flat_map(Order::trades).filter(|(id, _)| from.is_none_or(|from| *id >= from));
        let list: Vec<Json> = trades.map(|(_, json)| json).collect();
        Ok(Json::List(page(list, limit(params)?, from.is_some() || start.is_some())))
    }

    pub(super) fn read_account(&mut self, params: &Params) -> Result<Json, Refusal> {
        params.only(&["omitZeroBalances"], true)?;
        let omit = params.flag("omitZeroBalances")?.unwrap_or(false);
        let sight = self.visibility.read(View::Account, self.clock.now_ms());
        let seen =
            self.past_balances.iter().rfind(|(stamp, _)| sight.sees(stamp)).or(self.past_balances.first());
        let balances = seen.map(|(_, balances)| balances).unwrap_or(&self.account.balances).iter();
        let kept = balances.filter(|(_, balance)| !omit || !(balance.free + balance.locked).is_zero());
        let list = kept.map(|(asset, balance)| {
            object! { "asset": asset.as_str(), "free": balance.free, "locked": balance.locked }
        });
        let account = &self.account;
        let points = |rate: Decimal| i64::try_from(rate * Decimal::from(10_000)).unwrap_or_default();
        let permissions = account.permissions.iter().map(|name| Json::from(*name)).collect::<Vec<Json>>();
        Ok(object! {
            "makerCommission": points(account.maker), "takerCommission": points(account.taker),
            "buyerCommission": points(account.buyer), "sellerCommission": points(account.seller),
            "commissionRates": self.rates(),
            "canTrade": account.can_trade, "canWithdraw": true, "canDeposit": true, "brokered": false,
            "requireSelfTradePrevention": false, "preventSor": false,
            "updateTime": Json::time(self.orders.iter().map(|order| order.updated_ms).max().unwrap_or(0)), "accountType": "SPOT",
            "balances": list.collect::<Vec<Json>>(),
            "permissions": permissions, "uid": account.uid,
        })
    }

    pub(super) fn commission_rates(&self, params: &Params) -> Result<Json, Refusal> {
        params.only(&["symbol"], true)?;
        let pair = self.one(params)?.pair;
        let none = || {
            let zero = Decimal::ZERO;
            object! { "maker": zero, "taker": zero, "buyer": zero, "seller": zero }
        };
        Ok(object! {
            "symbol": pair, "standardCommission": self.rates(), "specialCommission": none(), "taxCommission": none(),
            "discount": self.discount(),
        })
    }

    pub(super) fn my_filters(&self, params: &Params) -> Result<Json, Refusal> {
        params.only(&["symbol"], true)?;
        let symbol = self.one(params)?;
        let assets = [symbol.listing.base, symbol.listing.quote];
        let limits = self.account.max_assets.iter().filter(|(asset, _)| assets.contains(asset));
        let limits = limits
            .map(|(asset, limit)| object! { "filterType": "MAX_ASSET", "asset": *asset, "limit": *limit });
        Ok(object! {
            "exchangeFilters": Vec::new(), "symbolFilters": filters(symbol),
            "assetFilters": limits.collect::<Vec<Json>>(),
        })
    }

    pub(super) fn discount(&self) -> Json {
        object! {
            "enabledForAccount": self.account.bnb_fees, "enabledForSymbol": true,
            "discountAsset": "BNB", "discount": self.account.bnb_share,
        }
    }

    pub(super) fn order_counts(&mut self, params: &Params) -> Result<Json, Refusal> {
        params.only(&[], true)?;
        let (ten_seconds, day) = self.limits.order_counts(self.clock.now_ms());
        let mut short = rate_limit("ORDERS", "SECOND", 10, self.limits.orders_per_10s);
        short.push("count", ten_seconds);
        let mut long = rate_limit("ORDERS", "DAY", 1, self.limits.orders_per_day);
        long.push("count", day);
        Ok(Json::List(vec![short, long]))
    }

    pub(super) fn key_restrictions(&self, params: &Params) -> Result<Json, Refusal> {
        params.only(&[], true)?;
        Ok(object! {
            "ipRestrict": self.account.key_ip_restricted, "createTime": 1_767_225_600_000i64, "enableReading": true,
            "enableSpotAndMarginTrading": self.account.key_may_trade,
            "enableWithdrawals": self.account.key_may_withdraw, "enableInternalTransfer": false,
            "permitsUniversalTransfer": false, "enableMargin": false, "enableFutures": false,
            "enableVanillaOptions": false, "enablePortfolioMarginTrading": false,
            "enableFixApiTrade": false, "enableFixReadOnly": false,
        })
    }

    fn rates(&self) -> Json {
        let account = &self.account;
        object! { "maker": account.maker, "taker": account.taker, "buyer": account.buyer, "seller": account.seller }
    }

    fn seen<'a>(&'a self, pair: &'a str, sight: Sight) -> impl Iterator<Item = &'a Order> {
        self.orders.iter().filter(move |order| order.pair == pair && sight.sees(&order.stamp))
    }
}

/// `startTime` et `endTime`, à moins d'un jour l'un de l'autre.
fn span(params: &Params) -> Result<(Option<i64>, Option<i64>), Refusal> {
    let ms = |name: &str| Ok(params.time(name)?.map(|micros| micros / 1_000));
    let (start, end) = (ms("startTime")?, ms("endTime")?);
    match (start, end) {
        (Some(start), Some(end)) if end - start > DAY_MS => {
            Err(Refusal::new(-1127, "More than 24 hours between startTime and endTime."))
        }
        span => Ok(span),
    }
}

fn limit(params: &Params) -> Result<usize, Refusal> {
    let limit = params.integer("limit")?.unwrap_or(500).clamp(1, 1_000);
    usize::try_from(limit).map_err(|_| Refusal::missing("limit"))
}

/// Les premiers quand la lecture part d'un point donné, sinon les derniers.
fn page(mut list: Vec<Json>, limit: usize, from_start: bool) -> Vec<Json> {
    if from_start {
        list.truncate(limit);
        list
    } else {
        list.split_off(list.len().saturating_sub(limit))
    }
}
