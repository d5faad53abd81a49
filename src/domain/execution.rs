//! Ce que la bourse dit d'un ordre qu'elle a accepté : où il en est, et chaque exécution.
//!
//! Invariant : [`fill`] ne rend une exécution complète que si l'ordre est fini et que ses morceaux en font
//! exactement le compte ; une lecture en retard n'est jamais prise pour la fin de l'histoire.

use std::collections::BTreeMap;
use std::fmt;

#[cfg(test)]
use rust_decimal::Decimal;

use super::book::{FeeApart, Fees, Fill};
use super::market::Coin;
use super::moment::Moment;
use super::money::{Price, Quantity, Usdc};
use super::order::Side;
use super::reconcile::CASH;

/// Un ordre accepté, tel que la bourse le raconte.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub order_id: i64,
    pub client_id: String,
    pub coin: Coin,
    pub side: Side,
    /// Plus rien ne lui arrivera (FILLED, EXPIRED, EXPIRED_IN_MATCH, CANCELED, REJECTED).
    pub ended: bool,
    /// Le mot de la bourse.
    pub status: String,
    pub executed: Quantity,
    /// USDC échangés, frais non déduits ; `None` si la bourse ne le sait plus (négatif sur le fil).
    pub amount: Option<Usdc>,
    /// Quand elle l'a reçu, à son heure.
    pub at: Moment,
}

/// Une exécution : une part de l'ordre, à un prix.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    pub trade_id: i64,
    pub order_id: i64,
    pub coin: Coin,
    pub side: Side,
    pub price: Price,
    pub quantity: Quantity,
    pub amount: Usdc,
    pub commission: Quantity,
    /// L'actif où elle a été prise : `USDC`, `BNB`, celui de la paire.
    pub commission_asset: String,
    pub at: Moment,
}

/// Les exécutions d'un ordre, ensemble : autant qu'elles soient, elles ne prennent pas plus de mémoire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Executions {
    pub count: usize,
    pub quantity: Quantity,
    /// USDC échangés, frais non déduits.
    pub amount: Usdc,
    /// Par actif, sans ceux qui n'ont rien payé.
    pub commissions: BTreeMap<String, Quantity>,
}

impl Executions {
    pub fn add(&mut self, execution: &Execution) {
        self.count += 1;
        self.quantity += execution.quantity;
        self.amount += execution.amount;
        self.pay(&execution.commission_asset, execution.commission);
    }

    /// Compte une commission de plus.
    pub fn pay(&mut self, asset: &str, commission: Quantity) {
        if !commission.is_zero() {
            *self.commissions.entry(asset.to_owned()).or_default() += commission;
        }
    }
}

impl<'a> FromIterator<&'a Execution> for Executions {
    fn from_iter<T: IntoIterator<Item = &'a Execution>>(executions: T) -> Executions {
        let mut together = Executions::default();
        for execution in executions {
            together.add(execution);
        }
        together
    }
}

/// Le prix auquel des frais pris en BNB comptent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BnbPrice {
    Known(Price),
    /// Pas encore lu : il vaut mieux l'attendre.
    Awaited,
    /// Il ne vient pas : ces frais sont notés à part, sans valeur.
    Unknown,
}

impl BnbPrice {
    /// `price` s'il est connu, sinon il est attendu.
    pub fn or_awaited(price: Option<Price>) -> BnbPrice {
        price.map_or(BnbPrice::Awaited, BnbPrice::Known)
    }

    /// `price` s'il est connu, sinon on s'en passe.
    pub fn or_unknown(price: Option<Price>) -> BnbPrice {
        price.map_or(BnbPrice::Unknown, BnbPrice::Known)
    }
}

/// Pourquoi un ordre accepté ne peut pas encore être compté.
#[derive(Clone, Debug, PartialEq)]
pub enum Incomplete {
    /// Il n'est pas fini, ou ses exécutions ne sont pas toutes visibles : redemander.
    Later(String),
    /// Des frais en BNB, et le prix du BNB n'est pas connu : attendre une lecture.
    BnbPrice,
    /// Ce que la bourse dit ne se compte pas : quelqu'un doit regarder.
    Strange(String),
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Incomplete::Later(reason) | Incomplete::Strange(reason) => f.write_str(reason),
            Incomplete::BnbPrice => {
                f.write_str("its fees were taken in BNB and the price of BNB is not known now")
            }
        }
    }
}

/// L'exécution complète de l'ordre, `None` s'il a fini sans rien échanger. `bnb` donne leur valeur aux frais pris en BNB.
pub fn fill(report: &Report, executions: &Executions, bnb: BnbPrice) -> Result<Option<Fill>, Incomplete> {
    if !report.ended {
        return Err(Incomplete::Later(format!("the exchange has it, {}", report.status)));
    }
    let Executions { quantity, amount, .. } = *executions;
    if quantity > report.executed
        || report.amount.is_some_and(|told| quantity == report.executed && told != amount)
    {
        let told = report.amount.map_or("what it does not tell".to_owned(), |told| format!("{told} USDC"));
        return Err(Incomplete::Strange(format!(
            "the exchange executed {} for {told}, and its trades add up to {quantity} for {amount}",
            report.executed
        )));
    }
    if quantity < report.executed {
        return Err(Incomplete::Later(format!(
            "the exchange executed {}, and shows trades for {quantity} so far",
            report.executed
        )));
    }
    if quantity.is_zero() {
        return Ok(None);
    }
    let fill = priced(report.coin, report.side, executions, bnb).ok_or(Incomplete::BnbPrice)?;
    Ok(Some(fill))
}

/// Ce que ces exécutions font d'un ordre de ce coin, de ce sens ; `None` si le prix du BNB est attendu.
pub fn priced(coin: Coin, side: Side, executions: &Executions, bnb: BnbPrice) -> Option<Fill> {
    let Executions { quantity, amount, .. } = *executions;
    let price = Price::new(amount.decimal() / quantity.decimal()).floor(8);
    Some(Fill { coin, side, quantity, price, amount, fees: fees(coin, side, executions, bnb)? })
}

/// La commission d'un achat est prise dans ce qu'il apporte, celle d'une vente en USDC, l'une et l'autre en BNB quand le
/// compte le veut et en a ; un même ordre peut mêler. Dans un autre actif, elle est notée à part.
fn fees(coin: Coin, side: Side, executions: &Executions, bnb: BnbPrice) -> Option<Fees> {
    let mut fees = Fees::default();
    for (asset, &commission) in &executions.commissions {
        match (asset.as_str(), bnb) {
            (asset, _) if asset == coin.asset() && side == Side::Buy => fees.coin = commission,
            (CASH, _) => fees.usdc = Usdc::new(commission.decimal()),
            ("BNB", BnbPrice::Known(price)) => (fees.bnb, fees.bnb_price) = (commission, price),
            ("BNB", BnbPrice::Awaited) => return None,
            (asset, _) => fees.apart.push(FeeApart { asset: asset.to_owned(), quantity: commission }),
        }
    }
    Some(fees)
}

#[cfg(test)]
impl Execution {
    /// Une exécution d'un achat de BTC à 100 USDC, pour les essais.
    pub fn example(quantity: Decimal, commission: Decimal, asset: &str) -> Execution {
        let price = Price::new(Decimal::ONE_HUNDRED);
        Execution {
            trade_id: 1,
            order_id: 7,
            coin: Coin::Btc,
            side: Side::Buy,
            price,
            quantity: Quantity::new(quantity),
            amount: price * Quantity::new(quantity),
            commission: Quantity::new(commission),
            commission_asset: asset.to_owned(),
            at: Moment(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;

    fn report(status: &str, executed: Decimal) -> Report {
        Report {
            order_id: 7,
            client_id: "id".to_owned(),
            coin: Coin::Btc,
            side: Side::Buy,
            ended: status != "NEW",
            status: status.to_owned(),
            executed: Quantity::new(executed),
            amount: Some(Usdc::new(executed * dec!(100))),
            at: Moment(0),
        }
    }

    #[test]
    fn an_order_is_whole_when_its_trades_add_up() {
        let two = [
            Execution::example(dec!(1), dec!(0.001), "BTC"),
            Execution::example(dec!(2), dec!(0.004), "BNB"),
        ];
        let bnb = BnbPrice::Known(Price::new(dec!(600)));
        let fill = |report: &Report, executions: &[Execution], bnb| {
            super::fill(report, &executions.iter().collect(), bnb)
        };
        let whole = fill(&report("FILLED", dec!(3)), &two, bnb).unwrap().unwrap();
        assert_eq!((whole.quantity, whole.price), (Quantity::new(dec!(3)), Price::new(dec!(100))));
        assert_eq!(
            (whole.fees.coin, whole.fees.bnb),
            (Quantity::new(dec!(0.001)), Quantity::new(dec!(0.004)))
        );
        assert_eq!(whole.fee_usdc(), Usdc::new(dec!(2.5)));
        assert_eq!(fill(&report("FILLED", dec!(3)), &two, BnbPrice::Awaited), Err(Incomplete::BnbPrice));
        assert!(matches!(fill(&report("FILLED", dec!(3)), &two[..1], bnb), Err(Incomplete::Later(_))));
        assert!(matches!(fill(&report("FILLED", dec!(1)), &two, bnb), Err(Incomplete::Strange(_))));
        assert!(matches!(fill(&report("NEW", dec!(3)), &two, bnb), Err(Incomplete::Later(_))));
        assert_eq!(fill(&report("EXPIRED", dec!(0)), &[], bnb), Ok(None));
    }

    /// Plusieurs actifs dans un même ordre, suivis ou non, et un achat qui paie dans l'actif d'un autre.
    #[test]
    fn a_commission_in_any_asset_is_noted_apart_and_blocks_nothing() {
        let paid = [
            Execution::example(dec!(1), dec!(0.1), "DOGE"),
            Execution::example(dec!(1), dec!(0.2), "FDUSD"),
            Execution::example(dec!(1), dec!(0.3), "DOGE"),
            Execution::example(dec!(1), dec!(0), "PEPE"),
            Execution::example(dec!(1), dec!(0.001), "BTC"),
            Execution::example(dec!(1), dec!(0.5), "USDC"),
            Execution::example(dec!(1), dec!(0.004), "BNB"),
        ];
        let together: Executions = paid.iter().collect();
        let told = report("FILLED", dec!(7));
        let fill = |bnb| fill(&told, &together, bnb).map(|fill| fill.expect("it was executed"));
        let whole = fill(BnbPrice::Known(Price::new(dec!(600)))).expect("whole");
        assert_eq!((whole.quantity, whole.price), (Quantity::new(dec!(7)), Price::new(dec!(100))));
        let apart =
            |asset: &str, quantity| FeeApart { asset: asset.to_owned(), quantity: Quantity::new(quantity) };
        assert_eq!(whole.fees.apart, [apart("DOGE", dec!(0.4)), apart("FDUSD", dec!(0.2))]);
        assert_eq!((whole.fee_usdc(), whole.fees.value(whole.price)), (Usdc::new(dec!(3)), None));
        // Le prix du BNB ne vient pas : sa part est notée de même.
        let unpriced = fill(BnbPrice::Unknown).expect("whole");
        let all = [apart("BNB", dec!(0.004)), apart("DOGE", dec!(0.4)), apart("FDUSD", dec!(0.2))];
        assert_eq!((unpriced.fees.apart.as_slice(), unpriced.fee_usdc()), (&all[..], Usdc::new(dec!(0.6))));
        assert_eq!(fill(BnbPrice::Awaited), Err(Incomplete::BnbPrice));
    }
}
