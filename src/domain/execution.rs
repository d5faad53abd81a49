//! Ce que la bourse dit d'un ordre qu'elle a accepté : où il en est, et chaque exécution.
//!
//! Invariant : [`fill`] ne rend une exécution complète que si l'ordre est fini et que ses morceaux en font
//! exactement le compte ; une lecture en retard n'est jamais prise pour la fin de l'histoire.

use std::fmt;

#[cfg(test)]
use rust_decimal::Decimal;

use super::book::{Fees, Fill};
use super::market::Coin;
use super::moment::Moment;
use super::money::{Price, Quantity, Usdc};
use super::order::Side;

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

/// L'exécution complète de l'ordre, `None` s'il a fini sans rien échanger. `bnb` est le prix du BNB, qui
/// donne leur valeur aux frais pris dans cet actif.
pub fn fill(
    report: &Report,
    executions: &[Execution],
    bnb: Option<Price>,
) -> Result<Option<Fill>, Incomplete> {
    if !report.ended {
        return Err(Incomplete::Later(format!("the exchange has it, {}", report.status)));
    }
    let quantity: Quantity = executions.iter().map(|execution| execution.quantity).sum();
    let amount: Usdc = executions.iter().map(|execution| execution.amount).sum();
    if quantity > report.executed
        || report.amount.is_some_and(|told| quantity == report.executed && told != amount)
    {
        return Err(Incomplete::Strange(format!(
            "the exchange executed {} for {:?} USDC, and its trades add up to {quantity} for {amount}",
            report.executed,
            report.amount.map(|amount| amount.to_string()),
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
    let fees = fees(report, executions, bnb)?;
    let price = Price::new(amount.decimal() / quantity.decimal()).floor(8);
    Ok(Some(Fill { coin: report.coin, side: report.side, quantity, price, amount, fees }))
}

/// La commission d'un achat est prise dans ce qu'il apporte, celle d'une vente en USDC, l'une et l'autre en
/// BNB quand le compte le veut et en a ; un même ordre peut mêler.
fn fees(report: &Report, executions: &[Execution], bnb: Option<Price>) -> Result<Fees, Incomplete> {
    let mut fees = Fees::default();
    for execution in executions.iter().filter(|execution| !execution.commission.is_zero()) {
        let commission = execution.commission;
        match execution.commission_asset.as_str() {
            asset if asset == report.coin.asset() && report.side == Side::Buy => fees.coin += commission,
            "USDC" => fees.usdc += Usdc::new(commission.decimal()),
            "BNB" => {
                fees.bnb += commission;
                fees.bnb_price = bnb.ok_or(Incomplete::BnbPrice)?;
            }
            asset => {
                return Err(Incomplete::Strange(format!(
                    "trade {} paid its commission in {asset:?}, which the books do not hold",
                    execution.trade_id
                )));
            }
        }
    }
    Ok(fees)
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
        let bnb = Some(Price::new(dec!(600)));
        let whole = fill(&report("FILLED", dec!(3)), &two, bnb).unwrap().unwrap();
        assert_eq!((whole.quantity, whole.price), (Quantity::new(dec!(3)), Price::new(dec!(100))));
        assert_eq!(
            (whole.fees.coin, whole.fees.bnb),
            (Quantity::new(dec!(0.001)), Quantity::new(dec!(0.004)))
        );
        assert_eq!(whole.fee_usdc(), Usdc::new(dec!(2.5)));
        assert_eq!(fill(&report("FILLED", dec!(3)), &two, None), Err(Incomplete::BnbPrice));
        assert!(matches!(fill(&report("FILLED", dec!(3)), &two[..1], bnb), Err(Incomplete::Later(_))));
        assert!(matches!(fill(&report("FILLED", dec!(1)), &two, bnb), Err(Incomplete::Strange(_))));
        assert!(matches!(fill(&report("NEW", dec!(3)), &two, bnb), Err(Incomplete::Later(_))));
        assert_eq!(fill(&report("EXPIRED", dec!(0)), &[], bnb), Ok(None));
    }

    #[test]
    fn a_commission_that_the_books_cannot_hold_asks_for_a_person() {
        let strange = [Execution::example(dec!(1), dec!(0.1), "DOGE")];
        assert!(matches!(fill(&report("FILLED", dec!(1)), &strange, None), Err(Incomplete::Strange(_))));
        let without = [Execution::example(dec!(1), dec!(0), "DOGE")];
        assert!(fill(&report("FILLED", dec!(1)), &without, None).is_ok());
    }
}
