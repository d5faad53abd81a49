//! Un passé que ce grand livre a perdu : ses ordres, tels que la bourse les raconte, et ce qui les a payés.
//!
//! La seule définition, pour la page comme pour `calvalot restore`. Invariant : un second ordre sous un nom qui avait servi (le
//! réseau a livré deux fois une demande) ne prend aux livres que ce dont nul autre d'ici n'a eu besoin.

use super::book::{self, Effect, Fill};
use super::execution::Report;
use super::market::{Coin, PerCoin};
use super::money::{Eur, Rate, Usdc};
use super::movement::{Kind, Movement};
use super::order::Side;
use super::portfolio::Holdings;
use super::reconcile::CASH;

/// Un ordre à mettre aux livres.
#[derive(Clone, Debug, PartialEq)]
pub struct LostOrder {
    pub report: Report,
    /// Ce qu'il a exécuté.
    pub fill: Option<Fill>,
    /// L'intention de ce livre dont il est la fin, qu'il ne savait pas.
    pub ends: Option<i64>,
    /// Un autre portait déjà son nom : rien n'avait été versé pour lui.
    pub second: bool,
}

/// Ce qui a pu payer des ordres que le cash des livres ne paie pas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payer {
    /// Ce que le passé perdu avait versé.
    Deposit,
    /// Peut-être un ordre qui n'est pas encore dit, ou en doute : rien n'est inventé.
    Awaited,
    /// Une vente qu'une personne a réglée et que la bourse peut dire encore : le reste est pris à ce qui est d'autrui, et se voit.
    Settled,
}

impl Payer {
    /// Avec un ordre d'ici, exécuté, que la bourse raconte mal : en doute, il attend une personne ; réglé par elle, une vente a payé,
    /// un achat n'a rien payé.
    pub fn with(self, is_in_doubt: bool, side: Side) -> Payer {
        match (self, is_in_doubt, side) {
            (Payer::Awaited, ..) | (_, true, _) => Payer::Awaited,
            (_, false, Side::Sell) => Payer::Settled,
            (before, false, Side::Buy) => before,
        }
    }
}

/// Ses ordres, dans l'ordre où les livres les prennent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LostPast {
    orders: Vec<LostOrder>,
}

/// Ce qu'il a rendu aux livres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Brought {
    pub orders: usize,
    /// Ce que ces ordres ont dépensé de plus que le cash : le passé perdu l'avait versé.
    pub deposited: Eur,
    /// Ce qu'ils ont dépensé de plus, que rien ici n'a payé : une vente qu'une personne a réglée, peut-être.
    pub of_others: Usdc,
    /// Les paires dont les ordres ne se sont pas tous lus : il y en a peut-être d'autres.
    pub unread: PerCoin<bool>,
}

impl Brought {
    /// Ce qui n'a été payé par rien d'ici, en une phrase ; `None` si tout l'a été.
    pub fn unpaid(&self) -> Option<String> {
        let told = format!(
            "{:.2} USDC of what they bought stay outside the books: a sale that was settled by hand may have paid them",
            self.of_others
        );
        self.of_others.is_positive().then_some(told)
    }

    /// Ce qui n'est pas lu encore, en une phrase ; `None` si tout l'est.
    pub fn unread(&self) -> Option<String> {
        let coins: Vec<&str> = self.unread.chosen().map(Coin::pair).collect();
        (!coins.is_empty()).then(|| {
            format!(
                "the orders of {} could not be read yet: others of this ledger may be among them, and what they bought or \
                 sold is not in the books; once they are read, they are shown to be adopted too",
                coins.join(", ")
            )
        })
    }
}

impl LostPast {
    /// De ces ordres, du plus ancien au plus récent.
    pub fn of(orders: Vec<LostOrder>) -> LostPast {
        let mut past = LostPast::default();
        let mut later: Vec<LostOrder> = Vec::new();
        for order in orders {
            if order.is_second_purchase() {
                later.push(order);
                continue;
            }
            // Ce qu'il a acheté, cette vente a pu le vendre.
            if order.fill.as_ref().is_some_and(|fill| fill.side == Side::Sell) {
                let sold = |second: &mut LostOrder| second.report.coin == order.report.coin;
                past.orders.extend(later.extract_if(.., sold));
            }
            past.orders.push(order);
        }
        past.orders.extend(later);
        past
    }

    pub fn orders(&self) -> &[LostOrder] {
        &self.orders
    }

    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// Ce que ces exécutions demandent de plus que ce que les livres tiennent, tel que les livres les compteront ; jamais négatif.
    pub fn beyond(&self, before: &Holdings) -> Usdc {
        let mut covered = *before;
        // Ce qui manque au premier manque aussi aux suivants, quand une vente n'en rend que la part : il n'est compté qu'une fois.
        for _ in 0..=2 * self.orders.len() {
            let Some(lack) = self.lacks(&covered).find(|lack| lack.is_positive()) else { break };
            covered.cash += lack;
        }
        covered.cash - before.cash
    }

    /// Tant qu'un ordre qui a peut-être payé ceux-ci n'est pas dit, n'en garde que les premiers que les livres paient, jusqu'à un second :
    /// lui attend, et ce qui vient après en a peut-être vendu. Rend le premier des autres.
    pub fn keep_paid(&mut self, before: &Holdings) -> Option<LostOrder> {
        let is_paid = |(lack, order): &(Usdc, &LostOrder)| !lack.is_positive() && !order.is_second_purchase();
        let paid = self.lacks(before).zip(&self.orders).take_while(is_paid).count();
        self.orders.drain(paid..).next()
    }

    /// Ce que d'autres auraient à payer de chacun de ses ordres, dans leur ordre ; rien d'un second.
    fn lacks(&self, before: &Holdings) -> impl Iterator<Item = Usdc> {
        let mut holdings = *before;
        self.orders.iter().map(move |order| {
            let Some(fill) = &order.fill else { return Usdc::ZERO };
            let Effect { holdings: after, others } = book::effect(&holdings, fill);
            holdings = after;
            let of_others = Usdc::new(others.of(CASH).decimal()).max(Usdc::ZERO);
            if order.is_second_purchase() { Usdc::ZERO } else { of_others }
        })
    }
}

impl LostOrder {
    fn is_second_purchase(&self) -> bool {
        self.second && self.report.side == Side::Buy
    }
}

/// Le versement qui couvre ces USDC, au centime d'euro supérieur : le cash ne descend jamais sous zéro.
pub fn deposit(beyond: Usdc, rate: Rate) -> Movement {
    Movement::of_euros(Kind::Deposit, beyond.to_eur(rate).ceil(2), rate)
}

#[cfg(test)]
mod tests {
    use rust_decimal::{Decimal, dec};

    use super::*;
    use crate::domain::book::Fees;
    use crate::domain::market::Coin;
    use crate::domain::moment::Moment;
    use crate::domain::money::{Price, Quantity};

    /// Un ordre de 100 USDC par unité ; `name` est aussi son rang.
    fn order(number: i64, coin: Coin, side: Side, amount: Decimal, second: bool) -> LostOrder {
        let (quantity, price) = (Quantity::new(amount / dec!(100)), Price::new(dec!(100)));
        let amount = Usdc::new(amount);
        let report = Report {
            coin,
            side,
            order_id: number,
            client_id: format!("cal-{number}"),
            status: "FILLED".to_owned(),
            ended: true,
            executed: quantity,
            amount: Some(amount),
            at: Moment(number),
        };
        let fill = Fill { coin, side, quantity, price, amount, fees: Fees::default() };
        LostOrder { report, fill: Some(fill), ends: None, second }
    }

    fn cash(cash: Decimal) -> Holdings {
        Holdings { cash: Usdc::new(cash), ..Holdings::default() }
    }

    fn numbers(past: &LostPast) -> Vec<i64> {
        past.orders().iter().map(|order| order.report.order_id).collect()
    }

    #[test]
    fn a_second_purchase_takes_only_what_no_other_order_needed() {
        let (buy, sell) = (Side::Buy, Side::Sell);
        let past = LostPast::of(vec![
            order(1, Coin::Eth, buy, dec!(300), false),
            order(2, Coin::Eth, buy, dec!(300), true),
            order(3, Coin::Sol, buy, dec!(400), false),
        ]);
        assert_eq!(numbers(&past), [1, 3, 2]);
        assert_eq!(past.beyond(&cash(dec!(700))), Usdc::ZERO, "nothing was deposited for it");
        assert_eq!(past.beyond(&cash(dec!(650))), Usdc::new(dec!(50)));

        let sold = LostPast::of(vec![
            order(1, Coin::Eth, buy, dec!(300), false),
            order(2, Coin::Eth, buy, dec!(300), true),
            order(3, Coin::Sol, sell, dec!(400), false),
            order(4, Coin::Eth, sell, dec!(600), false),
            order(5, Coin::Sol, buy, dec!(100), false),
        ]);
        assert_eq!(numbers(&sold), [1, 3, 2, 4, 5], "what it bought was sold");
    }

    #[test]
    fn what_the_cash_does_not_pay_is_not_kept() {
        let (buy, sell) = (Side::Buy, Side::Sell);
        let mut past = LostPast::of(vec![
            order(1, Coin::Eth, buy, dec!(60), false),
            order(2, Coin::Eth, sell, dec!(20), false),
            order(3, Coin::Sol, buy, dec!(70), false),
            order(4, Coin::Xrp, buy, dec!(1), false),
        ]);
        let dropped = past.keep_paid(&cash(dec!(100)));
        assert_eq!((numbers(&past), dropped.map(|order| order.report.order_id)), (vec![1, 2], Some(3)));
        assert_eq!(past.keep_paid(&cash(dec!(60))), None);
        let mut second = LostPast::of(vec![
            order(1, Coin::Eth, buy, dec!(10), false),
            order(2, Coin::Eth, buy, dec!(10), true),
        ]);
        let dropped = second.keep_paid(&cash(dec!(100)));
        assert_eq!((numbers(&second), dropped.map(|order| order.report.order_id)), (vec![1], Some(2)));
    }

    #[test]
    fn a_sale_pays_with_what_was_of_the_books_a_second_one_too() {
        let (buy, sell) = (Side::Buy, Side::Sell);
        // Livrée deux fois, et les deux de ce que les livres tiennent.
        let twice = LostPast::of(vec![
            order(1, Coin::Btc, sell, dec!(300), false),
            order(2, Coin::Btc, sell, dec!(300), true),
            order(3, Coin::Eth, buy, dec!(600), false),
        ]);
        let mut before = cash(dec!(0));
        before.positions[Coin::Btc].quantity = Quantity::new(dec!(6));
        assert_eq!(twice.beyond(&before), Usdc::ZERO);
        // Ce qui manque à un achat manque encore à celui que sa vente paie : une seule fois.
        let turned = LostPast::of(vec![
            order(1, Coin::Eth, buy, dec!(100), false),
            order(2, Coin::Eth, sell, dec!(100), false),
            order(3, Coin::Sol, buy, dec!(100), false),
            order(4, Coin::Sol, sell, dec!(100), false),
            order(5, Coin::Xrp, buy, dec!(120), false),
        ]);
        assert_eq!(turned.beyond(&cash(dec!(0))), Usdc::new(dec!(120)));
        assert_eq!(turned.beyond(&cash(dec!(30))), Usdc::new(dec!(90)));
        // La moitié n'en était pas : des coins avaient été comptés depuis.
        before.positions[Coin::Btc].quantity = Quantity::new(dec!(3));
        assert_eq!(twice.beyond(&before), Usdc::new(dec!(300)));
    }

    #[test]
    fn a_deposit_covers_to_the_last_cent() {
        let covering = deposit(Usdc::new(dec!(100.001)), Rate::new(dec!(1.25)));
        assert_eq!((covering.eur, covering.usdc), (Eur::new(dec!(80.01)), Usdc::new(dec!(100.0125))));
    }
}
