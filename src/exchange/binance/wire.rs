//! La forme des réponses de la bourse, telle que sa documentation l'écrit.
//!
//! L'argent n'y est qu'en textes décimaux exacts. Les champs et filtres inconnus sont ignorés ; un
//! élément illisible n'emporte pas ses voisins. Ne décide de rien : `public` en fait des cours et
//! des règles, `account` des soldes, `reports` des ordres.

use miniserde::json::{self, Array, Value};
use miniserde::{Deserialize, de};

/// Un refus : le code est stable, le texte non.
#[derive(Deserialize)]
pub struct Refusal {
    pub code: i64,
    pub msg: String,
}

/// Le sommet d'un carnet (`ticker/bookTicker`).
#[derive(Deserialize)]
pub struct BookTicker {
    #[serde(rename = "bidPrice")]
    pub bid: String,
    #[serde(rename = "askPrice")]
    pub ask: String,
    #[serde(rename = "bidQty")]
    pub bid_quantity: Option<String>,
    #[serde(rename = "askQty")]
    pub ask_quantity: Option<String>,
}

/// Un carnet (`depth`) : de chaque côté, des paires de prix et de quantité, les meilleurs d'abord.
#[derive(Deserialize)]
pub struct Depth {
    pub bids: Vec<Vec<String>>,
    pub asks: Vec<Vec<String>>,
}

/// Le prix moyen des dernières minutes (`avgPrice`).
#[derive(Deserialize)]
pub struct AveragePrice {
    pub price: String,
}

/// Un échange de n'importe qui (`trades`).
#[derive(Deserialize)]
pub struct PublicTrade {
    pub price: String,
}

/// Une paire (`exchangeInfo`).
#[derive(Deserialize)]
pub struct Symbol {
    pub status: String,
    #[serde(rename = "orderTypes")]
    pub order_types: Vec<String>,
    #[serde(rename = "isSpotTradingAllowed")]
    pub spot_allowed: bool,
    #[serde(rename = "quoteOrderQtyMarketAllowed")]
    pub by_amount_allowed: bool,
    pub filters: Vec<Filter>,
}

/// Un filtre, quel qu'il soit : chacun n'a que ses champs.
#[derive(Deserialize)]
pub struct Filter {
    #[serde(rename = "filterType")]
    pub kind: String,
    #[serde(rename = "minQty")]
    pub min_quantity: Option<String>,
    #[serde(rename = "maxQty")]
    pub max_quantity: Option<String>,
    #[serde(rename = "stepSize")]
    pub step: Option<String>,
    #[serde(rename = "tickSize")]
    pub tick: Option<String>,
    #[serde(rename = "minNotional")]
    pub min_notional: Option<String>,
    #[serde(rename = "maxNotional")]
    pub max_notional: Option<String>,
    #[serde(rename = "applyToMarket")]
    pub applies: Option<bool>,
    #[serde(rename = "applyMinToMarket")]
    pub min_applies: Option<bool>,
    #[serde(rename = "applyMaxToMarket")]
    pub max_applies: Option<bool>,
}

/// Ce que la clé permet (`apiRestrictions`).
#[derive(Deserialize)]
pub struct KeyRights {
    #[serde(rename = "ipRestrict")]
    pub ip_restricted: bool,
    #[serde(rename = "enableReading")]
    pub reading: bool,
    #[serde(rename = "enableSpotAndMarginTrading")]
    pub spot_trading: bool,
    #[serde(rename = "enableWithdrawals")]
    pub withdrawals: bool,
}

/// Le compte (`account`).
#[derive(Deserialize)]
pub struct Account {
    #[serde(rename = "canTrade")]
    pub can_trade: bool,
    pub permissions: Vec<String>,
    pub balances: Vec<Balance>,
    pub uid: i64,
}

/// Le solde d'un actif.
#[derive(Deserialize)]
pub struct Balance {
    pub asset: String,
    pub free: String,
    pub locked: String,
}

/// Un ordre relu (`order`, `allOrders`). Le double m est de la bourse.
#[derive(Deserialize)]
pub struct Order {
    pub symbol: String,
    #[serde(rename = "orderId")]
    pub order_id: i64,
    #[serde(rename = "clientOrderId")]
    pub client_id: String,
    #[serde(rename = "executedQty")]
    pub executed: String,
    #[serde(rename = "cummulativeQuoteQty")]
    pub amount: String,
    pub status: String,
    pub side: String,
    pub time: i64,
}

/// La réponse à l'envoi d'un ordre (`POST order`, forme FULL).
#[derive(Deserialize)]
pub struct Receipt {
    pub symbol: String,
    #[serde(rename = "orderId")]
    pub order_id: i64,
    #[serde(rename = "clientOrderId")]
    pub client_id: String,
    #[serde(rename = "executedQty")]
    pub executed: String,
    #[serde(rename = "cummulativeQuoteQty")]
    pub amount: String,
    pub status: String,
    pub side: String,
    #[serde(rename = "transactTime")]
    pub time: i64,
    pub fills: Vec<Fill>,
}

/// Une exécution dans cette réponse.
#[derive(Deserialize)]
pub struct Fill {
    pub price: String,
    #[serde(rename = "qty")]
    pub quantity: String,
    pub commission: String,
    #[serde(rename = "commissionAsset")]
    pub commission_asset: String,
    #[serde(rename = "tradeId")]
    pub trade_id: i64,
}

/// Une exécution relue (`myTrades`).
#[derive(Deserialize)]
pub struct Trade {
    pub symbol: String,
    pub id: i64,
    #[serde(rename = "orderId")]
    pub order_id: i64,
    pub price: String,
    #[serde(rename = "qty")]
    pub quantity: String,
    #[serde(rename = "quoteQty")]
    pub amount: String,
    pub commission: String,
    #[serde(rename = "commissionAsset")]
    pub commission_asset: String,
    pub time: i64,
    #[serde(rename = "isBuyer")]
    pub is_buyer: bool,
}

/// Les groupes qu'une paire demande (`exchangeInfo`) : un de chaque ensemble.
#[derive(Deserialize)]
pub struct Permissions {
    #[serde(rename = "permissionSets")]
    pub permission_sets: Vec<Vec<String>>,
}

/// Le corps dans cette forme ; `None` s'il ne l'a pas.
pub fn decoded<T: de::Deserialize>(body: &[u8]) -> Option<T> {
    json::from_str(std::str::from_utf8(body).ok()?).ok()
}

/// Le refus que porte ce corps, s'il en est un.
pub fn refusal(body: &[u8]) -> Option<Refusal> {
    decoded(body)
}

/// La réponse de `ticker/bookTicker`, un élément par symbole.
pub fn book_tickers(text: &str) -> Option<Vec<(String, Option<BookTicker>)>> {
    match json::from_str(text).ok()? {
        Value::Array(tickers) => Some(by_symbol(&tickers)),
        _ => None,
    }
}

/// La réponse d'`exchangeInfo`, un élément par symbole.
pub fn symbols(text: &str) -> Option<Vec<(String, Option<Symbol>)>> {
    listed(text)
}

/// La même réponse, pour les groupes que chaque symbole demande.
pub fn permissions(text: &str) -> Option<Vec<(String, Option<Permissions>)>> {
    listed(text)
}

fn listed<T: de::Deserialize>(text: &str) -> Option<Vec<(String, Option<T>)>> {
    match json::from_str(text).ok()? {
        Value::Object(info) => match info.get("symbols") {
            Some(Value::Array(symbols)) => Some(by_symbol(symbols)),
            _ => None,
        },
        _ => None,
    }
}

/// Chaque élément nommé, relu seul dans sa forme ; `None` s'il n'a pas la forme attendue.
fn by_symbol<T: de::Deserialize>(elements: &Array) -> Vec<(String, Option<T>)> {
    let named = |element: &Value| match element {
        Value::Object(fields) => match fields.get("symbol") {
            Some(Value::String(symbol)) => {
                Some((symbol.clone(), json::from_str(&json::to_string(element)).ok()))
            }
            _ => None,
        },
        _ => None,
    };
    elements.iter().filter_map(named).collect()
}
