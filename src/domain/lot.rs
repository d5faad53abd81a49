//! Ce qu'un coin permet d'échanger maintenant : combien s'en vend, combien s'en achète, à quel prix, à quel pas.
//!
//! Le marché et les règles se lisent ici, une fois ; ce qui cherche un plan compare ensuite des [`Move`]. Invariant : un
//! mouvement d'ici est un ordre que la bourse accepterait, et sa valeur après coûts n'est jamais plus que ce qu'il laisserait.

use rust_decimal::{Decimal, dec};

use super::cost::{self, Paid};
use super::market::{Coin, Pairs};
use super::money::{Price, Quantity, Usdc};
use super::order::{Left, Order, Side, Size};

/// La plus petite quantité qui s'écrit.
const LEAST: Quantity = Quantity::new(dec!(0.00000001));

/// Ce qu'un coin permet.
pub struct Lot {
    pub coin: Coin,
    /// Ce qu'un pas vaut.
    pub notch: Usdc,
    /// Ce que vaut ce qui est tenu.
    pub held: Usdc,
    owned: Quantity,
    mid: Price,
    pub step: Quantity,
    sale: Result<Sale, Left>,
    purchase: Result<Terms, Left>,
    /// Le cash que rend un USDC de valeur vendu.
    returned: Decimal,
    /// La valeur qu'un USDC dépensé met en position, et son inverse.
    kept: Decimal,
    spent: Decimal,
}

/// Ce que ferait un échange si un pas n'était rien.
#[derive(Clone, Copy)]
pub struct Ideal {
    /// La valeur de la position après lui.
    pub after: Usdc,
    /// Le cash qu'il apporte ; négatif s'il en prend.
    pub cash: Usdc,
    pub cost: Usdc,
    /// De combien la position peut encore baisser : d'une vente plus grande, ou d'un achat plus petit.
    pub slack: Usdc,
}

/// Ce qui s'en vend en un ordre.
struct Sale {
    smallest: Quantity,
    whole: Quantity,
    /// Le cash que rend une unité.
    unit: Price,
}

/// À quelles conditions un coin s'achète.
#[derive(Clone, Copy)]
pub struct Terms {
    /// Le plus petit achat que l'on envoie, et le plus grand.
    pub least: Usdc,
    most: Usdc,
    paid: Paid,
    /// Ce qu'une unité achetée vaut en position, frais payés.
    unit: Price,
}

/// Un achat au pas : ce que l'ordre dit, ce qui s'en dépense, ce qu'il met en position.
#[derive(Clone, Copy)]
pub struct Purchase {
    pub amount: Usdc,
    pub spent: Usdc,
    pub worth: Usdc,
}

/// Un ordre possible, et ce qu'il change.
#[derive(Clone, Copy)]
pub struct Move {
    pub trade: Trade,
    /// La valeur de la position après lui.
    pub after: Usdc,
}

#[derive(Clone, Copy)]
pub enum Trade {
    Sell { quantity: Quantity, returned: Usdc },
    Buy(Purchase),
}

impl Move {
    pub fn purchase(&self) -> Option<&Purchase> {
        match &self.trade {
            Trade::Buy(purchase) => Some(purchase),
            Trade::Sell { .. } => None,
        }
    }
}

impl Terms {
    pub fn of(coin: Coin, pairs: &Pairs) -> Result<Terms, Left> {
        let pair = pairs.get(coin).ok_or(Left::Unknown)?;
        let quote = pair.quote;
        let least = Order::minimum_purchase(pair);
        // Ce que la bourse prendrait d'un montant sans borne.
        let most = Order::buy(coin, Usdc::new(Decimal::from(u64::MAX)), pairs)?;
        let (ask, mid) = (quote.ask(), quote.mid());
        Ok(Terms {
            least,
            most: most.value_at(ask),
            paid: Paid::of(coin, pair),
            unit: mid.times(Decimal::ONE - cost::TAKER_FEE),
        })
    }

    /// L'achat de cette quantité, ou le plus proche que l'on envoie.
    fn quantity(&self, quantity: Quantity) -> Purchase {
        self.amount(self.paid.amount(quantity).max(self.least).min(self.most))
    }

    /// Ce que donne un ordre de ce montant.
    pub fn amount(&self, amount: Usdc) -> Purchase {
        let quantity = self.paid.buys(amount);
        Purchase { amount, spent: self.paid.expected * quantity, worth: self.unit * quantity }
    }

    /// Ce qu'un achat prend de cash quand il ne dépense que ce montant, arrondi aux pas inférieurs.
    pub fn trimmed(&self, amount: Usdc) -> Purchase {
        self.quantity(self.paid.buys(amount))
    }

    /// Le cash d'un pas.
    pub fn notch(&self) -> Usdc {
        self.paid.notch()
    }
}

impl Lot {
    pub fn of(coin: Coin, owned: Quantity, pairs: &Pairs) -> Lot {
        let Some(pair) = pairs.get(coin) else { return Lot::unknown(coin) };
        let (quote, mid, step) = (pair.quote, pair.quote.mid(), pair.rules.step);
        let sale = Order::sell(coin, owned, owned, pairs).map(|order| {
            let whole = match order.size() {
                Size::Sell(quantity) => quantity,
                Size::Spend(_) => Quantity::ZERO,
            };
            Sale {
                smallest: Order::smallest_sale(pair).min(whole),
                whole,
                unit: mid.times(cost::returned_by_one(coin, quote)),
            }
        });
        let purchase = Terms::of(coin, pairs);
        let kept = cost::bought_by_one(coin, quote);
        Lot {
            coin,
            notch: mid * step,
            held: mid * owned,
            owned,
            mid,
            step,
            sale,
            purchase,
            returned: cost::returned_by_one(coin, quote),
            kept,
            spent: Decimal::ONE / kept,
        }
    }

    /// D'un coin que l'on ne tient pas et dont rien n'est su : rien ne s'en échange.
    fn unknown(coin: Coin) -> Lot {
        Lot {
            coin,
            notch: Usdc::ZERO,
            held: Usdc::ZERO,
            owned: Quantity::ZERO,
            mid: Price::ZERO,
            step: Quantity::ZERO,
            sale: Err(Left::Unknown),
            purchase: Err(Left::Unknown),
            returned: Decimal::ZERO,
            kept: Decimal::ONE,
            spent: Decimal::ONE,
        }
    }

    /// Ce que donnerait une vente, ou un achat, jusqu'à `aim` ou au plus près, si un pas n'était rien ; `None` si cela ne se peut pas.
    pub fn ideal(&self, side: Side, aim: Usdc) -> Option<Ideal> {
        match side {
            Side::Sell => {
                let sale = self.sale.as_ref().ok()?;
                let (least, most) = (self.mid * sale.smallest, self.mid * sale.whole);
                let sold = (self.held - aim).max(least).min(most);
                let returned = sold.times(self.returned);
                let after = self.held - sold;
                Some(Ideal { after, cash: returned, cost: sold - returned, slack: most - sold })
            }
            Side::Buy => {
                let terms = self.purchase.as_ref().ok()?;
                let least = terms.amount(terms.least).worth;
                let bought = (aim - self.held).max(least).min(terms.most.times(self.kept));
                let spent = bought.times(self.spent);
                let after = self.held + bought;
                Some(Ideal { after, cash: -spent, cost: spent - bought, slack: bought - least })
            }
        }
    }

    /// Les ordres qui amènent le plus près de `aim` : au pas d'avant, et à celui d'après s'il se voit, c'est-à-dire s'il vaut
    /// plus que `visible`.
    pub fn toward(&self, side: Side, aim: Usdc, visible: Usdc) -> Vec<Move> {
        let gap = (aim - self.held).abs();
        let is_opposed = (side == Side::Sell) == (aim > self.held);
        let coarse = self.notch > visible;
        let both = match (side, &self.sale, &self.purchase) {
            (Side::Sell, Ok(sale), _) => {
                let wanted = match () {
                    _ if is_opposed => Quantity::ZERO,
                    _ if aim.is_zero() => sale.whole,
                    _ => gap.buys_at(self.mid),
                };
                let before = wanted.floor_to_step(self.step).max(sale.smallest).min(sale.whole);
                let after = (before + self.step).min(sale.whole);
                let two = coarse && before < wanted && before < after;
                [Some(self.sell(sale, before)), two.then(|| self.sell(sale, after))]
            }
            (Side::Buy, _, Ok(terms)) => {
                let wanted = if is_opposed { Usdc::ZERO } else { gap };
                let steps = wanted.buys_at(terms.unit).floor_to_step(self.step);
                let (before, after) = (terms.quantity(steps), terms.quantity(steps + self.step));
                let two = coarse && before.worth < after.worth && before.worth < wanted;
                [Some(self.buy(before)), two.then(|| self.buy(after))]
            }
            _ => [None, None],
        };
        both.into_iter().flatten().collect()
    }

    /// La vente `made`, agrandie pour rendre `missing` de plus, au pas supérieur ; entière si elle n'y suffit pas.
    pub fn sell_more(&self, made: Quantity, missing: Usdc) -> Option<Move> {
        let sale = self.sale.as_ref().ok()?;
        // `buys_at` arrondit vers le bas.
        let more = missing.buys_at(sale.unit) + LEAST;
        Some(self.sell(sale, (made + more).ceil_to_step(self.step).min(sale.whole)))
    }

    fn sell(&self, sale: &Sale, quantity: Quantity) -> Move {
        let trade = Trade::Sell { quantity, returned: sale.unit * quantity };
        Move { trade, after: self.mid * (self.owned - quantity) }
    }

    pub fn buy(&self, purchase: Purchase) -> Move {
        Move { trade: Trade::Buy(purchase), after: self.held + purchase.worth }
    }

    pub fn terms(&self) -> Option<&Terms> {
        self.purchase.as_ref().ok()
    }

    /// La vente de cette quantité, dans les règles.
    pub fn sale_of(&self, quantity: Quantity, pairs: &Pairs) -> Result<Order, Left> {
        Order::sell(self.coin, quantity, self.owned, pairs)
    }

    /// Pourquoi la bourse ne prendrait pas l'ordre qui amène à `aim` ; `None` si elle le prendrait.
    pub fn refused(&self, aim: Usdc, pairs: &Pairs) -> Option<Left> {
        if let (Err(Left::Unknown), Err(_)) = (&self.purchase, &self.sale) {
            return Some(Left::Unknown);
        }
        let gap = aim - self.held;
        if gap.is_positive() {
            return Order::buy(self.coin, gap.times(self.spent), pairs).err();
        }
        self.sale_of((-gap).buys_at(self.mid), pairs).err()
    }
}
