//! Les lectures publiques : heure, règles, prix, carnets. Formes de la fiche Binance, 2.2.

use rust_decimal::Decimal;

use super::params::Params;
use super::refusal::Refusal;
use super::state::State;
use crate::sim::json::{Json, object};
use crate::sim::market::{Book, Level, MAX_OPEN_ORDERS, NotionalFilter, PERCENT_PRICE, Symbol};
use crate::sim::script::Pace;

impl State {
    pub(super) fn exchange_info(&self, params: &Params) -> Result<Json, Refusal> {
        params.only(&["symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus"], false)?;
        let show_sets = params.flag("showPermissionSets")?.unwrap_or(true);
        let named = params.get("symbol").is_some() || params.get("symbols").is_some();
        let other = params.get("permissions").is_some() || params.get("symbolStatus").is_some();
        let both = params.get("symbol").is_some() && params.get("symbols").is_some();
        if both || (named && other) {
            return Err(Refusal::combination());
        }
        let wanted = params.get("permissions").map(|text| text.replace(['[', ']', '"'], ""));
        let symbols = self.chosen(params)?.into_iter().filter(|symbol| {
            let permitted = |name: &str| symbol.listing.permission_sets.iter().any(|set| set.contains(&name));
            wanted.as_ref().is_none_or(|names| names.split(',').any(permitted))
        });
        Ok(object! {
            "timezone": "UTC",
            "serverTime": Json::Time(self.clock.now_micros()),
            "rateLimits": vec![
                rate_limit("REQUEST_WEIGHT", "MINUTE", 1, self.limits.weight_limit),
                rate_limit("ORDERS", "SECOND", 10, self.limits.orders_per_10s),
                rate_limit("ORDERS", "DAY", 1, self.limits.orders_per_day),
                rate_limit("RAW_REQUESTS", "MINUTE", 5, self.limits.raw_limit),
            ],
            "exchangeFilters": Vec::new(),
            "symbols": symbols.map(|symbol| symbol_json(symbol, show_sets)).collect::<Vec<Json>>(),
        })
    }

    pub(super) fn ticker(
        &mut self,
        params: &Params,
        write: fn(&mut State, &str) -> Json,
    ) -> Result<Json, Refusal> {
        params.only(&["symbol", "symbols", "symbolStatus"], false)?;
        if params.get("symbol").is_some() && params.get("symbols").is_some() {
            return Err(Refusal::combination());
        }
        if params.get("symbol").is_some() {
            let pair = self.one(params)?.pair;
            return Ok(write(self, pair));
        }
        self.chosen(params)?;
        if self.pace == Pace::Stepped {
            self.market.step();
        }
        let pairs: Vec<&str> = self.chosen(params)?.into_iter().map(|symbol| symbol.pair).collect();
        Ok(Json::List(pairs.into_iter().map(|pair| write(self, pair)).collect()))
    }

    pub(super) fn average_price(&self, params: &Params) -> Result<Json, Refusal> {
        params.only(&["symbol"], false)?;
        let average = self.one(params)?.average();
        Ok(object! { "mins": 5i64, "price": average, "closeTime": Json::Time(self.clock.now_micros()) })
    }

    pub(super) fn depth(&mut self, params: &Params) -> Result<Json, Refusal> {
        params.only(&["symbol", "limit", "symbolStatus"], false)?;
        let Symbol { pair, update_id, .. } = *self.one(params)?;
        let limit = depth_limit(params)?;
        let book = self.shown_book(pair);
        let write = |levels: &[Level]| -> Vec<Json> {
            let line = |level: Level| Json::List(vec![level.price.into(), level.quantity.into()]);
            merged(levels).take(limit).map(line).collect()
        };
        Ok(object! { "lastUpdateId": update_id, "bids": write(&book.bids), "asks": write(&book.asks) })
    }

    /// Les derniers échanges de tout le monde : un toutes les 250 ms, d'un côté ou de l'autre du milieu. L'heure et le
    /// marché les disent : deux lectures de suite rendent les mêmes.
    pub(super) fn recent_trades(&self, params: &Params) -> Result<Json, Refusal> {
        const EVERY_MS: i64 = 250;
        params.only(&["symbol", "limit"], false)?;
        let symbol = self.one(params)?;
        let limit = params.integer("limit")?.unwrap_or(500).clamp(1, 1_000);
        let newest = self.clock.now_ms() / EVERY_MS;
        let trade = |id: i64| {
            let is_buyer_maker = id % 2 == 0;
            let tick = symbol.listing.tick_size;
            let price = if is_buyer_maker { symbol.mid - tick } else { symbol.mid + tick };
            let step = symbol.listing.step_size.max(Decimal::new(1, 8));
            let traded = Level { price, quantity: step * Decimal::from(1 + id % 97) };
            object! {
                "id": id, "price": price, "qty": traded.quantity, "quoteQty": traded.quote(),
                "time": Json::Time(id * EVERY_MS * 1_000), "isBuyerMaker": is_buyer_maker, "isBestMatch": true,
            }
        };
        Ok(Json::List((newest - limit + 1..=newest).map(trade).collect()))
    }

    pub(super) fn price_ticker(&mut self, pair: &str) -> Json {
        let mid = self.market.find(pair).expect("a listed pair").mid;
        object! { "symbol": pair, "price": mid }
    }

    pub(super) fn book_ticker(&mut self, pair: &str) -> Json {
        let book = self.shown_book(pair);
        let none = Level { price: Decimal::ZERO, quantity: Decimal::ZERO };
        let best = |levels: &[Level]| merged(levels).next().unwrap_or(none);
        let (bid, ask) = (best(&book.bids), best(&book.asks));
        object! {
            "symbol": pair,
            "bidPrice": bid.price, "bidQty": bid.quantity, "askPrice": ask.price, "askQty": ask.quantity,
        }
    }

    /// Le carnet tel que cette lecture le montre, vrai ou non.
    fn shown_book(&mut self, pair: &str) -> Book {
        let Symbol { pair, ref book, .. } = *self.market.find(pair).expect("a listed pair");
        self.misquotes.show(pair, book, self.clock.now_ms())
    }

    pub(super) fn reference_price(&self, params: &Params) -> Result<Json, Refusal> {
        params.only(&["symbol"], false)?;
        let symbol = self.one(params)?;
        let Some(price) = symbol.listing.reference_price else {
            return Err(Refusal::new(-2043, "This symbol doesn't have a reference price."));
        };
        Ok(
            object! { "symbol": symbol.pair, "referencePrice": price, "timestamp": Json::Time(self.clock.now_micros()) },
        )
    }

    pub(super) fn execution_rules(&self, params: &Params) -> Result<Json, Refusal> {
        params.only(&["symbol", "symbols", "symbolStatus"], false)?;
        let rules = |symbol: &Symbol| {
            let range = symbol.listing.price_range.map(|range| {
                let (up, down) = (Decimal::ONE + range, Decimal::ONE - range);
                object! {
                    "ruleType": "PRICE_RANGE",
                    "bidLimitMultUp": up, "bidLimitMultDown": down, "askLimitMultUp": up, "askLimitMultDown": down,
                }
            });
            object! { "symbol": symbol.pair, "rules": range.into_iter().collect::<Vec<Json>>() }
        };
        let symbols = self.chosen(params)?.into_iter().map(rules).collect::<Vec<Json>>();
        Ok(object! { "symbolRules": symbols })
    }

    /// La paire de `symbol`, obligatoire, dans l'état que `symbolStatus` veut.
    pub(super) fn one(&self, params: &Params) -> Result<&Symbol, Refusal> {
        let pair = params.symbol()?.ok_or_else(|| Refusal::missing("symbol"))?;
        let symbol = self.market.find(pair).ok_or_else(Refusal::invalid_symbol)?;
        if !has_wanted_status(symbol, params) {
            let text = "The symbol's status does not match the requested symbolStatus.";
            return Err(Refusal::new(-1220, text));
        }
        Ok(symbol)
    }

    /// Les paires de `symbol` ou `symbols`, ou toutes ; une seule inconnue refuse tout, un autre état que celui
    /// de `symbolStatus` écarte la paire d'une liste.
    fn chosen(&self, params: &Params) -> Result<Vec<&Symbol>, Refusal> {
        if params.symbol()?.is_some() {
            return Ok(vec![self.one(params)?]);
        }
        let named: Vec<&Symbol> = match params.symbols()? {
            None => self.market.symbols().iter().collect(),
            Some(pairs) => {
                let find = |pair: &String| self.market.find(pair).ok_or_else(Refusal::invalid_symbol);
                pairs.iter().map(find).collect::<Result<_, _>>()?
            }
        };
        Ok(named.into_iter().filter(|symbol| has_wanted_status(symbol, params)).collect())
    }
}

fn has_wanted_status(symbol: &Symbol, params: &Params) -> bool {
    params.get("symbolStatus").is_none_or(|status| symbol.listing.status.text() == status)
}

/// Les niveaux tels que la bourse les publie : les ordres d'un même prix réunis.
fn merged(levels: &[Level]) -> impl Iterator<Item = Level> {
    levels.chunk_by(|one, next| one.price == next.price).map(|same| {
        let quantity = same.iter().map(|level| level.quantity).sum();
        Level { price: same[0].price, quantity }
    })
}

/// Niveaux demandés à depth : 100 par défaut, 5000 au plus.
pub(super) fn depth_limit(params: &Params) -> Result<usize, Refusal> {
    let limit = params.integer("limit")?.unwrap_or(100).clamp(1, 5_000);
    usize::try_from(limit).map_err(|_| Refusal::missing("limit"))
}

pub(super) fn rate_limit(kind: &str, interval: &str, count: i64, limit: i64) -> Json {
    object! { "rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit }
}

fn symbol_json(symbol: &Symbol, show_sets: bool) -> Json {
    let listing = &symbol.listing;
    let mut types = if listing.limit_orders_allowed { vec!["LIMIT", "LIMIT_MAKER"] } else { Vec::new() };
    if listing.market_orders_allowed {
        types.push("MARKET");
    }
    types.extend(["STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"]);
    let mut json = object! {
        "symbol": symbol.pair, "status": listing.status.text(),
        "baseAsset": listing.base, "baseAssetPrecision": 8i64,
        "quoteAsset": listing.quote, "quotePrecision": 8i64, "quoteAssetPrecision": 8i64,
        "baseCommissionPrecision": 8i64, "quoteCommissionPrecision": 8i64,
        "orderTypes": texts(types),
        "icebergAllowed": true, "ocoAllowed": true, "otoAllowed": true, "opoAllowed": true,
        "quoteOrderQtyMarketAllowed": listing.quote_order_allowed,
        "allowTrailingStop": true, "cancelReplaceAllowed": true, "amendAllowed": true, "pegInstructionsAllowed": true,
        "isSpotTradingAllowed": listing.spot_trading_allowed, "isMarginTradingAllowed": true,
        "filters": filters(symbol),
        "permissions": Vec::new(),
    };
    if show_sets {
        let sets = listing.permission_sets.iter().map(|set| Json::List(texts(set.clone())));
        json.push("permissionSets", sets.collect::<Vec<Json>>());
    }
    json.push("defaultSelfTradePreventionMode", "EXPIRE_MAKER");
    let modes = vec!["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"];
    json.push("allowedSelfTradePreventionModes", texts(modes));
    json
}

pub(super) fn filters(symbol: &Symbol) -> Vec<Json> {
    let listing = &symbol.listing;
    let [up, down] = PERCENT_PRICE.map(|factor| factor.to_string());
    let lot = |name: &str, minimum: Decimal, maximum: Decimal, step: Decimal| {
        object! { "filterType": name, "minQty": minimum, "maxQty": maximum, "stepSize": step }
    };
    let notional = match listing.notional_filter {
        NotionalFilter::Notional => object! {
            "filterType": "NOTIONAL",
            "minNotional": listing.min_notional, "applyMinToMarket": listing.min_notional_applies_to_market,
            "maxNotional": listing.max_notional, "applyMaxToMarket": listing.max_notional_applies_to_market,
            "avgPriceMins": 5i64,
        },
        NotionalFilter::MinNotional => object! {
            "filterType": "MIN_NOTIONAL",
            "minNotional": listing.min_notional, "applyToMarket": listing.min_notional_applies_to_market,
            "avgPriceMins": 5i64,
        },
    };
    let mut filters = vec![
        object! {
            "filterType": "PRICE_FILTER",
            "minPrice": listing.tick_size, "maxPrice": symbol.max_price(), "tickSize": listing.tick_size,
        },
        lot("LOT_SIZE", listing.min_quantity, listing.max_quantity, listing.step_size),
        object! { "filterType": "ICEBERG_PARTS", "limit": 100i64 },
        lot(
            "MARKET_LOT_SIZE",
            listing.market_min_quantity,
            listing.market_max_quantity,
            listing.market_step_size,
        ),
        object! {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": 10i64, "maxTrailingAboveDelta": 2_000i64,
            "minTrailingBelowDelta": 10i64, "maxTrailingBelowDelta": 2_000i64,
        },
        object! {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": up.clone(), "bidMultiplierDown": down.clone(),
            "askMultiplierUp": up, "askMultiplierDown": down,
            "avgPriceMins": 5i64,
        },
        notional,
        object! { "filterType": "MAX_NUM_ORDERS", "maxNumOrders": MAX_OPEN_ORDERS as i64 },
        object! { "filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5i64 },
    ];
    if let Some(position) = listing.max_position {
        filters.push(object! { "filterType": "MAX_POSITION", "maxPosition": position });
    }
    filters
}

fn texts(values: Vec<&str>) -> Vec<Json> {
    values.into_iter().map(Json::from).collect()
}
