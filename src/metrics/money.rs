//! L'argent : ce que tout vaut, ce qui est tenu de chaque paire, ce qui a été échangé.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::agent::MODES;
use super::series::{Amount, by_coin, single};
use crate::domain::market::{Coin, PerCoin};
use crate::domain::order::Side;

/// L'argent à un instant.
#[derive(Clone, Debug, Default)]
pub struct Money {
    pub value_eur: Option<f64>,
    pub value_usdc: Option<f64>,
    pub cash_usdc: Option<f64>,
    pub net_deposits_eur: f64,
    /// Depuis le début, dépôts et retraits mis à part.
    pub return_ratio: Option<f64>,
    pub drawdown_ratio: Option<f64>,
    pub positions: Vec<Holding>,
    pub traded: Vec<Traded>,
}

/// Une position et, si elles sont connues, sa valeur et sa part du tout.
#[derive(Clone, Debug)]
pub struct Holding {
    pub coin: Coin,
    pub quantity: f64,
    pub value_usdc: Option<f64>,
    pub weight: Option<f64>,
}

/// Ce qui a été échangé depuis toujours d'une paire, dans un sens et un mode.
#[derive(Clone, Debug)]
pub struct Traded {
    pub coin: Coin,
    pub side: Side,
    pub simulated: bool,
    pub trades: u32,
    pub amount_usdc: f64,
    pub fees_usdc: f64,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    coin: &'static str,
    side: &'static str,
    mode: &'static str,
}

impl Money {
    pub(super) fn register(&self, registry: &mut Registry) {
        single(registry, "portfolio_value_eur", "Value of coins and cash in EUR", self.value_eur);
        single(registry, "portfolio_value_usdc", "Value of coins and cash in USDC", self.value_usdc);
        single(registry, "cash_usdc", "Cash in USDC", self.cash_usdc);
        let deposits = Some(self.net_deposits_eur);
        single(registry, "net_deposits_eur", "Deposits less withdrawals in EUR", deposits);
        let help = "Time-weighted return since the beginning, deposits and withdrawals aside";
        single(registry, "return_ratio", help, self.return_ratio);
        let help = "How far the time-weighted return is below its highest ever, as a part of it";
        single(registry, "drawdown_ratio", help, self.drawdown_ratio);
        self.register_positions(registry);
        self.register_traded(registry);
    }

    /// Ce qui n'est pas tenu vaut zéro : c'est su.
    fn register_positions(&self, registry: &mut Registry) {
        let each = |value: fn(&Holding) -> Option<f64>, none: Option<f64>| {
            PerCoin::from_fn(|coin| match self.positions.iter().find(|holding| holding.coin == coin) {
                Some(holding) => value(holding),
                None => none,
            })
        };
        let quantities = each(|holding| Some(holding.quantity), Some(0.0));
        by_coin(registry, "position_quantity", "Quantity held of a coin", &quantities);
        let values = each(|holding| holding.value_usdc, Some(0.0));
        by_coin(registry, "position_value_usdc", "Value of a position in USDC", &values);
        let weights =
            each(|holding| holding.weight, self.value_usdc.filter(|value| *value > 0.0).map(|_| 0.0));
        let help = "Part of a position in the value of coins and cash";
        by_coin(registry, "position_weight_ratio", help, &weights);
    }

    fn register_traded(&self, registry: &mut Registry) {
        let (trades, amounts, fees) = (
            Family::<Kind, Counter>::default(),
            Family::<Kind, Amount>::default(),
            Family::<Kind, Amount>::default(),
        );
        for coin in Coin::ALL {
            for side in [Side::Buy, Side::Sell] {
                for mode in MODES {
                    let kind = Kind { coin: coin.pair(), side: side.word(), mode };
                    let is_this = |sum: &&Traded| {
                        (sum.coin, sum.side, sum.simulated) == (coin, side, mode == "dry_run")
                    };
                    let found = self.traded.iter().find(is_this);
                    trades.get_or_create(&kind).inc_by(found.map_or(0, |sum| u64::from(sum.trades)));
                    amounts.get_or_create(&kind).inc_by(found.map_or(0.0, |sum| sum.amount_usdc));
                    fees.get_or_create(&kind).inc_by(found.map_or(0.0, |sum| sum.fees_usdc));
                }
            }
        }
        registry.register("trades", "Trades made, by coin, side and mode", trades);
        registry.register("traded_usdc", "USDC exchanged by trades, fees not deducted", amounts);
        registry.register("fees_usdc", "Fees paid, in USDC at the price of the moment", fees);
    }
}
