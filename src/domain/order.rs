//! Un ordre, au marché ou borné par un prix, qui obéit déjà aux règles de la bourse.
//!
//! Un `Order` ne se construit que par [`Order::sell`] et [`Order::buy`], puis [`Order::bounded`] ; ils arrondissent vers le
//! bas et refusent ce que la bourse refuserait : au pas, entre les bornes, au-dessus du minimum avec
//! une marge, jamais plus que ce qui est possédé.

use std::fmt;
use std::time::Duration;

use rust_decimal::{Decimal, dec};

use super::market::{Coin, Pair, Pairs, Rules};
use super::money::{Price, Quantity, Usdc, Weight};
use super::reconcile::{self, Lack};
use super::recourse;

/// Marge au-dessus du minimum de la bourse, qui l'évalue à un autre prix que le nôtre.
const MARGIN: Decimal = dec!(1.03);

/// Le reste d'un achat en montant peut atteindre un pas ; la moitié d'un autre sert de marge.
const STEPS_SPARE: Decimal = dec!(1.5);

/// La plus petite quantité qui s'écrit.
const LEAST: Quantity = Quantity::new(dec!(0.00000001));

/// Achat ou vente.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Buy,
    Sell,
}

impl Side {
    /// Le mot de la bourse et de l'API.
    pub fn word(self) -> &'static str {
        match self {
            Side::Buy => "BUY",
            Side::Sell => "SELL",
        }
    }

    pub fn from_word(word: &str) -> Option<Side> {
        [Side::Buy, Side::Sell].into_iter().find(|side| side.word() == word)
    }
}

/// Un achat se donne en USDC à dépenser, une vente en quantité à céder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    Spend(Usdc),
    Sell(Quantity),
}

/// Vrai si le code de cette raison dit que quelque chose était demandé et n'a pas pu se faire.
pub fn is_obstacle(code: &str) -> bool {
    !["traded", "nothing_to_do", "within_threshold", "within_step", "dust", "no_nearer"].contains(&code)
}

/// Vrai si ce que dit le code de cette raison passe : l'allocation se visera encore. Les règles de la bourse, elles, font de ce qui est
/// atteint tout ce qui peut l'être, et ce qu'une personne a réglé le reste.
pub fn passes(code: &str) -> bool {
    let outside = ["halted", "unknown", "refused", "turnover", "thin_book"];
    let awaited = ["in_doubt", "stuck", "later", "cash_awaited", "account_short"];
    outside.contains(&code) || awaited.contains(&code)
}

/// Vrai si le code de cette raison est d'un plan : un autre plan, plus tard, en dit ce qui est vrai alors. Ce qui s'est échangé, ce qu'une
/// personne a réglé et ce qui n'était plus de ce moment le restent.
pub fn is_of_a_plan(code: &str) -> bool {
    let rules = ["below_minimum", "below_step", "no_position", "cash_short"];
    passes(code) || rules.contains(&code) || (!is_obstacle(code) && code != "traded")
}

/// De combien ce qui reste d'un ordre dépasse le plus petit : le prix peut baisser avant qu'il ne parte.
const ROOM: Decimal = dec!(1.1);

/// Un ordre que la bourse accepterait : au marché, ou borné.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    coin: Coin,
    size: Size,
    bound: Option<Bound>,
}

/// Ce qu'un ordre prend d'un carnet lu en entier ([`super::depth`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    pub quantity: Quantity,
    /// Le prix qu'il ne dépasse pas, ce qu'il n'y trouve pas s'éteignant ; `None` si la paire ne prend que des ordres au marché.
    pub limit: Option<Price>,
    /// Ce que le carnet lu en donnerait, en moyenne.
    pub average: Price,
}

/// Pourquoi un coin n'est pas négocié. Le texte est celui que l'utilisateur lit.
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// Ni visé par le leader ni possédé, ou sans action.
    NothingToDo,
    WithinThreshold {
        drift: Weight,
        threshold: Weight,
    },
    /// Plus près que ce qu'un pas permet d'atteindre : il n'y a rien à faire de mieux.
    WithinStep {
        step: Quantity,
    },
    /// Rien n'en est voulu, et il en reste moins que ce que la bourse vend.
    Dust,
    /// Aucun ordre permis ne rendrait la répartition plus proche, coûts payés.
    NoNearer {
        drift: Weight,
    },
    BelowMinimum {
        value: Usdc,
        minimum: Usdc,
    },
    BelowStep {
        wanted: Quantity,
        step: Quantity,
    },
    NoPosition,
    CashShort {
        available: Usdc,
        minimum: Usdc,
    },
    Halted(String),
    /// Un signal plus récent donne une nouvelle cible.
    Superseded(String),
    /// De même, par un signal de ce nom, qui ne dit pas d'allocation.
    Replaced(String),
    /// L'action a peut-être été faite dans un passé que le grand livre n'a pas connu : elle n'est pas refaite.
    MaybeDone,
    /// Son prix ou ses règles manquent.
    Unknown,
    /// La bourse (ou sa simulation) n'a pas voulu de l'ordre.
    Refused(String),
    /// Une personne a réglé son ordre : ce signal n'y touche plus.
    Settled,
    /// L'action a cet âge : elle n'est pas faite, ni refaite, à un autre prix que celui de son moment.
    TooOld(Duration),
    /// Le leader ne voulait plus que cela soit suivi, depuis ce temps.
    Expired(Duration),
    /// Un ordre de ce coin est parti et son issue n'est pas connue.
    InDoubt(String),
    /// Un ordre de ce coin demande une personne.
    Stuck(String),
    /// La bourse n'a rien traité, ou le cash d'une vente manque encore : ce sera tenté de nouveau.
    Later(String),
    /// Le cash d'une vente, ou d'un ordre en doute, manque encore à cet achat.
    CashAwaited,
    /// Ce qui s'échange au plus en un jour est atteint : le reste attend.
    Turnover {
        spare: Usdc,
        of_drift: bool,
    },
    /// Le carnet n'a pas assez, à un écart supportable du milieu : le reste attend.
    ThinBook {
        there: Usdc,
        wanted: Usdc,
        most: Weight,
    },
    /// Le compte tient moins que ce que disent les livres.
    AccountShort {
        asset: &'static str,
        lack: Lack,
    },
}

impl Left {
    /// Le nom stable de la raison, pour qui veut la traduire.
    pub fn code(&self) -> &'static str {
        match self {
            Left::NothingToDo => "nothing_to_do",
            Left::WithinThreshold { .. } => "within_threshold",
            Left::WithinStep { .. } => "within_step",
            Left::Dust => "dust",
            Left::NoNearer { .. } => "no_nearer",
            Left::BelowMinimum { .. } => "below_minimum",
            Left::BelowStep { .. } => "below_step",
            Left::NoPosition => "no_position",
            Left::CashShort { .. } => "cash_short",
            Left::Halted(_) => "halted",
            Left::Superseded(_) => "superseded",
            Left::Replaced(_) => "superseded",
            Left::MaybeDone => "maybe_done",
            Left::Unknown => "unknown",
            Left::Refused(_) => "refused",
            Left::Settled => "settled",
            Left::TooOld(_) => "too_old",
            Left::Expired(_) => "expired",
            Left::InDoubt(_) => "in_doubt",
            Left::Stuck(_) => "stuck",
            Left::Later(_) => "later",
            Left::CashAwaited => "cash_awaited",
            Left::Turnover { .. } => "turnover",
            Left::ThinBook { .. } => "thin_book",
            Left::AccountShort { .. } => "account_short",
        }
    }

    /// Vrai si l'allocation se visera encore pour ce coin ([`passes`]).
    pub fn passes(&self) -> bool {
        passes(self.code())
    }

    /// Vrai si le signal attend encore ce coin : le temps, ou quelqu'un, y remédie.
    pub fn is_pending(&self) -> bool {
        matches!(
            self,
            Left::InDoubt(_)
                | Left::Stuck(_)
                | Left::Later(_)
                | Left::CashAwaited
                | Left::AccountShort { .. }
        )
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Left::NothingToDo => write!(f, "nothing to do"),
            Left::WithinThreshold { drift, threshold } => {
                write!(f, "{} % from the target, threshold {} %", drift.percent(), threshold.percent())
            }
            Left::WithinStep { step } => write!(f, "nearer to the target than one step of {step}"),
            Left::Dust => write!(f, "the rest is less than the exchange sells"),
            Left::NoNearer { drift } => {
                write!(f, "{} % from the target, and no order would bring the whole nearer", drift.percent())
            }
            Left::BelowMinimum { value, minimum } => {
                // Ce qui manque se voit aux centimes ; ailleurs aussi, ce qui est là s'arrondit vers le bas.
                let (value, minimum) = (value.floor(2), minimum.ceil(2));
                write!(f, "{value:.2} USDC is below the exchange's minimum of {minimum:.2}")
            }
            Left::BelowStep { wanted, step } => write!(f, "{wanted} is less than one step of {step}"),
            Left::NoPosition => write!(f, "nothing to sell"),
            Left::CashShort { available, minimum } => {
                let (available, minimum) = (available.floor(2), minimum.ceil(2));
                write!(f, "cash is short: {available:.2} USDC left for a minimum of {minimum:.2}")
            }
            Left::Halted(status) => write!(f, "the exchange does not trade this pair now ({status})"),
            Left::Superseded(by) => write!(f, "superseded by the newer target of {by}"),
            Left::Replaced(by) => write!(f, "superseded by {by}, which names no allocation"),
            Left::MaybeDone => {
                write!(f, "may have been done in a past that this ledger did not know: it is not done again")
            }
            Left::Unknown => write!(f, "its price or its rules are not known now"),
            Left::Refused(reason) => write!(f, "refused: {reason}"),
            Left::Settled => write!(f, "a person settled its order: it is left until the next signal"),
            Left::TooOld(age) => write!(f, "given up: its signal is {} old", recourse::told(*age)),
            Left::Expired(ago) => write!(f, "its signal expired {} ago", recourse::told(*ago)),
            Left::InDoubt(reason) => write!(f, "an order of this coin is in doubt: {reason}"),
            Left::Stuck(reason) => write!(f, "a person must look: {reason}"),
            Left::Later(reason) => write!(f, "tried again later: {reason}"),
            Left::CashAwaited => write!(f, "waits for the cash of a sale or of an order in doubt"),
            Left::Turnover { spare, of_drift: false } => write!(
                f,
                "what may be traded in a day (MAX_TURNOVER_PCT_PER_DAY) leaves {spare:.2} USDC: the rest waits"
            ),
            Left::Turnover { spare, of_drift: true } => write!(
                f,
                "what drift alone may trade in a day (a third of MAX_TURNOVER_PCT_PER_DAY) leaves {spare:.2} USDC: the rest waits"
            ),
            Left::ThinBook { there, wanted, most } => write!(
                f,
                "the book holds {:.2} of {wanted:.2} USDC within {} % of the middle",
                there.floor(2),
                most.percent()
            ),
            Left::AccountShort { asset, lack: Lack { missing, locked } } => {
                let (missing, of_it) = (reconcile::told(*missing, asset), locked_of(*locked, asset));
                write!(
                    f,
                    "the account has {missing} {asset} less free than the books{of_it}: the purchases concerned wait"
                )
            }
        }
    }
}

/// La part d'un manque qu'un ordre de la personne immobilise ; rien s'il n'y en a pas.
fn locked_of(locked: Quantity, asset: &str) -> String {
    if locked.is_positive() {
        format!(", {locked} of it locked in an order of yours", locked = reconcile::told(locked, asset))
    } else {
        String::new()
    }
}

impl Order {
    /// Une vente de `wanted`, ramenée à ce qui est possédé et au pas inférieur.
    pub fn sell(coin: Coin, wanted: Quantity, owned: Quantity, pairs: &Pairs) -> Result<Order, Left> {
        let pair = pairs.get(coin).ok_or(Left::Unknown)?;
        if let Some(status) = pair.closed() {
            return Err(Left::Halted(status));
        }
        let Pair { quote, rules } = pair;
        let (bid, wanted) = (quote.bid(), wanted.min(owned));
        let most =
            rules.max_notional.map_or(rules.max_quantity, |most| most.buys_at(bid).min(rules.max_quantity));
        let wanted = Order::part_of_sale(wanted, most, pair).unwrap_or(wanted.min(most));
        let quantity = wanted.floor_to_step(rules.step);
        if quantity.is_zero() || quantity < rules.min_quantity {
            return Err(Left::BelowStep { wanted, step: rules.step.max(rules.min_quantity) });
        }
        let (value, minimum) = (bid * quantity, rules.min_notional.times(MARGIN));
        if value < minimum {
            return Err(Left::BelowMinimum { value, minimum });
        }
        Ok(Order { coin, size: Size::Sell(quantity), bound: None })
    }

    /// Un achat de `amount` USDC, tronqué au centime inférieur.
    pub fn buy(coin: Coin, amount: Usdc, pairs: &Pairs) -> Result<Order, Left> {
        let pair = pairs.get(coin).ok_or(Left::Unknown)?;
        if let Some(status) = pair.closed() {
            return Err(Left::Halted(status));
        }
        let rules = &pair.rules;
        let mut amount = amount.min(pair.quote.ask() * rules.max_quantity);
        if let Some(most) = rules.max_notional {
            amount = amount.min(most);
        }
        let amount = amount.floor(2);
        let minimum = Order::minimum_purchase(pair);
        if amount < minimum {
            return Err(Left::BelowMinimum { value: amount, minimum });
        }
        Ok(Order { coin, size: Size::Spend(amount), bound: None })
    }

    /// Le plus petit achat de cette paire qu'on envoie : assez pour rester au-dessus du minimum une fois
    /// la quantité arrondie au pas, et pour acheter la quantité minimale.
    pub fn minimum_purchase(Pair { quote, rules }: &Pair) -> Usdc {
        let ask = quote.ask();
        let spare = (ask * rules.step).times(STEPS_SPARE);
        let by_value = rules.min_notional.times(MARGIN) + spare;
        let by_quantity = (ask * rules.min_quantity).times(MARGIN) + spare;
        by_value.max(by_quantity).ceil(2)
    }

    /// La plus petite vente de cette paire qu'on envoie.
    pub fn smallest_sale(Pair { quote, rules }: &Pair) -> Quantity {
        let bid = quote.bid();
        // `buys_at` arrondit vers le bas, à la huitième décimale.
        let by_value = rules.min_notional.times(MARGIN).buys_at(bid) + LEAST;
        by_value.max(rules.min_quantity).ceil_to_step(rules.step)
    }

    /// Ce qui part d'abord d'une vente de `whole` quand il n'en peut partir que `most` : le reste est encore une vente que la bourse prend.
    /// `None` s'il n'y a pas de telle part.
    pub fn part_of_sale(whole: Quantity, most: Quantity, pair: &Pair) -> Option<Quantity> {
        if most >= whole {
            return Some(whole);
        }
        let least = Order::smallest_sale(pair);
        let part = most.min(whole - least.times(ROOM)).floor_to_step(pair.rules.step);
        (part >= least).then_some(part)
    }

    /// De même d'un achat de `whole` ; s'il n'y a pas de telle part, mieux vaut ce peu que rien.
    pub fn part_of_purchase(whole: Usdc, most: Usdc, pair: &Pair) -> Usdc {
        let least = Order::minimum_purchase(pair);
        let part = most.min(whole - least.times(ROOM));
        if most >= whole || part < least { most.min(whole) } else { part }
    }

    /// Le même, ramené à ce qu'il prend d'un carnet, et qui n'en dépense ni n'en cède jamais plus ; `None` si la bourse n'en
    /// voudrait pas.
    pub fn bounded(&self, bound: Bound, rules: &Rules) -> Option<Order> {
        let quantity = bound.quantity.floor_to_step(rules.step);
        let worth = bound.limit.unwrap_or(bound.average) * quantity;
        // À un prix limite, la bourse mesure le montant à ce prix même.
        let margin = if bound.limit.is_some() { Decimal::ONE } else { MARGIN };
        if quantity.is_zero() || quantity < rules.min_quantity || worth < rules.min_notional.times(margin) {
            return None;
        }
        let size = match self.size {
            // Les centimes des ordres au marché ; ce qu'un prix limite peut coûter se compte tout entier.
            Size::Spend(most) if bound.limit.is_none() => Size::Spend(worth.floor(2).min(most)),
            Size::Spend(most) => Size::Spend(worth.ceil(8).min(most)),
            Size::Sell(most) => Size::Sell(quantity.min(most)),
        };
        Some(Order { size, bound: Some(Bound { quantity, ..bound }), ..*self })
    }

    /// Le même, de cette taille, qui n'en est qu'une part.
    pub fn resized(&self, size: Size) -> Order {
        Order { size, ..*self }
    }

    /// Ce qu'il prend du carnet, s'il a fallu le lire.
    pub fn bound(&self) -> Option<Bound> {
        self.bound
    }

    pub fn coin(&self) -> Coin {
        self.coin
    }

    pub fn size(&self) -> Size {
        self.size
    }

    pub fn side(&self) -> Side {
        match self.size {
            Size::Spend(_) => Side::Buy,
            Size::Sell(_) => Side::Sell,
        }
    }

    /// Ce que l'ordre vaut à ce prix.
    pub fn value_at(&self, price: Price) -> Usdc {
        match self.size {
            Size::Spend(amount) => amount,
            Size::Sell(quantity) => price * quantity,
        }
    }
}
