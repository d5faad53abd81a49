//! Un retrait : ce qu'une personne veut reprendre, ce que cela vendra, ce qui restera ; et ce que le compte en montre parti.
//!
//! Le programme ne sort jamais d'argent : il réunit, met de côté, et constate. Invariants : rien n'est promis qui ne puisse
//! être réuni maintenant, ni ce qu'un ordre en doute a peut-être dépensé ; n'est constaté que ce qui était mis de côté.

use rust_decimal::{Decimal, dec};

use super::cash::Cash;
use super::market::Market;
use super::money::{Eur, Usdc};
use super::order::Order;
use super::portfolio::Holdings;
use super::raise;
use super::survival;

/// Ce qui peut manquer au montant voulu une fois les ventes faites : le prix a bougé, et vendre encore coûterait plus.
const SLACK: Decimal = dec!(0.995);

/// Ce que personne ne sort d'une bourse, en USDC : ce qui reste à prendre de moins ne l'est plus, ce qui est parti de plus n'est
/// pas une autre sortie.
const UNTAKEN: Usdc = Usdc::new(dec!(1));

/// Vrai si ce cash ne couvre plus ce qui reste à prendre : il y manque plus que des frais.
pub fn is_uncovered(booked: Usdc, left: Usdc) -> bool {
    booked + UNTAKEN < left
}

/// Où en est un retrait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Selling,
    SetAside,
    Completed,
    Cancelled,
}

impl Stage {
    const ALL: [Stage; 4] = [Stage::Selling, Stage::SetAside, Stage::Completed, Stage::Cancelled];

    /// Le mot du grand livre et de l'API.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Selling => "selling",
            Stage::SetAside => "set_aside",
            Stage::Completed => "completed",
            Stage::Cancelled => "cancelled",
        }
    }

    pub fn from_word(word: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.word() == word)
    }

    /// Vrai tant que de l'argent lui est gardé, et qu'il peut être révoqué.
    pub fn is_open(self) -> bool {
        matches!(self, Stage::Selling | Stage::SetAside)
    }
}

/// Ce qu'une personne demande.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Asked {
    Euros(Eur),
    All,
}

/// Ce qu'un retrait fera, aux prix du moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// La valeur, si tout est demandé.
    pub requested: Eur,
    /// Le montant ; ce qui peut être réuni maintenant, si tout est demandé.
    pub usdc: Usdc,
    pub sales: Vec<Order>,
    /// Ce que vaudra le reste.
    pub left: Eur,
}

/// Ce que fera le retrait demandé. `understood` : la personne a lu ce qu'il coûte à l'agent.
///
/// # Errors
/// La phrase qui dit pourquoi rien n'est fait.
pub fn terms(
    asked: Asked,
    holdings: &Holdings,
    cash: Cash,
    market: &Market,
    understood: bool,
) -> Result<Terms, String> {
    // Les pièces d'un ordre en doute ne comptent pas : ni son cash, ni ce qu'il a peut-être acheté.
    let free = Holdings { cash: cash.free(), ..*holdings };
    let value = free.value(market).ok_or("the value is not known now: nothing was changed")?;
    let most = free.cash + raise::most(&free, &market.pairs);
    let euros = |usdc: Usdc| usdc.to_eur(market.rate).floor(2);
    let doubt = match cash.reserved.is_positive() {
        true => format!(" (an order in doubt may have spent {:.2} USDC of it)", cash.reserved),
        false => String::new(),
    };
    // L'argent qu'un ordre en doute a peut-être dépensé vaut toujours quelque chose, en cash ou en coins.
    let whole = holdings.value(market).map_or(value.total, |whole| whole.total);
    let (requested, usdc) = match asked {
        // Ce qui ne peut pas se vendre maintenant se vend plus tard, ou reste.
        Asked::All => (euros(whole), most),
        Asked::Euros(amount) => (amount, amount.to_usdc(market.rate)),
    };
    if usdc > value.total {
        return Err(format!(
            "{requested:.2} EUR is more than the value of {:.2} EUR{doubt}: nothing was changed",
            euros(value.total)
        ));
    }
    if usdc > most {
        return Err(format!(
            "of the value of {:.2} EUR at most {:.2} can be taken out now: selling costs, dust and halted pairs \
             stay{doubt}; ask for that, or for all",
            value.total_eur,
            euros(most)
        ));
    }
    if !usdc.is_positive() {
        return Err(format!("there is nothing to take out{doubt}"));
    }
    let all = if asked == Asked::All { whole } else { value.total };
    let left = (all - usdc).to_eur(market.rate);
    if !understood {
        told(asked, left)?;
    }
    let (sales, _) = raise::raise(usdc, &free, &market.pairs);
    Ok(Terms { requested, usdc, sales, left })
}

/// Ce qu'une personne doit avoir lu.
fn told(asked: Asked, left: Eur) -> Result<(), String> {
    let way = "send \"understood\": true if that is what you want; nothing was changed";
    match asked {
        Asked::All => {
            Err(format!("everything will be sold, and the agent then has nothing to follow with: {way}"))
        }
        Asked::Euros(_) if left < survival::MINIMUM => Err(format!(
            "about {:.2} EUR would be left, less than the {:.0} EUR that following takes: {way}",
            left.max(Eur::ZERO).floor(2),
            survival::MINIMUM
        )),
        Asked::Euros(_) => Ok(()),
    }
}

/// Vrai si ce cash suffit au montant voulu, à un rien près.
pub fn is_raised(wanted: Usdc, free: Usdc) -> bool {
    free >= wanted.times(SLACK)
}

/// Ce qui est mis de côté de ce montant, à sortir d'une bourse à la main : des centimes entiers, comme la page les montre.
pub fn in_cents(amount: Usdc) -> Usdc {
    amount.floor(2)
}

/// Vrai si rien n'est plus à prendre, à un rien près, de ce qui était de côté.
pub fn is_taken(aside: Usdc, taken: Usdc) -> bool {
    taken >= aside || (taken.is_positive() && aside - taken < UNTAKEN)
}

/// Ce que le compte montre d'un retrait, à une lecture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shown {
    Nothing,
    /// Cette part est partie depuis la dernière constatée.
    Gone(Usdc),
    /// Le compte a reçu de l'argent, ou perdu plus que ce qui était à prendre : compter à partir d'ici.
    Rebased(Usdc),
}

/// Compare le niveau du compte (ce qu'il tiendrait sans nos ordres) à celui d'avant le retrait. `left` est mis de côté et
/// pas encore constaté parti, `taken` l'est déjà ; `short` : le compte tient moins que les livres. Tant que l'argent
/// d'un autre usage suffit, rien ne dit de quel argent une part est partie : seul le montant, tout entier, le dit.
pub fn shown(before: Usdc, level: Usdc, short: bool, taken: Usdc, left: Usdc) -> Shown {
    let part = before - level - taken;
    if part.is_zero() {
        Shown::Nothing
    } else if !part.is_positive() {
        Shown::Rebased(level + taken)
    } else if short || (part - left).abs() < UNTAKEN {
        // Le compte n'a plus ce que disent les livres, ou tout le montant est parti : ce qui était à prendre en est.
        Shown::Gone(part.min(left))
    } else if part < left {
        Shown::Nothing
    } else {
        Shown::Rebased(level + taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::market::{Coin, Pair, Pairs, Quote, Rules};
    use crate::domain::moment::Moment;
    use crate::domain::money::{Price, Quantity, Rate};
    use crate::domain::portfolio::Position;

    #[test]
    fn what_nobody_could_take_out_is_not_waited_for() {
        let cases = [(dec!(0), false), (dec!(59), false), (dec!(59.01), true), (dec!(60), true)];
        for (taken, done) in cases {
            assert_eq!(is_taken(Usdc::new(dec!(60)), Usdc::new(taken)), done, "{taken}");
        }
        assert!(!is_taken(Usdc::new(dec!(0.5)), Usdc::ZERO));
        assert_eq!(in_cents(Usdc::new(dec!(41.585841))), Usdc::new(dec!(41.58)));
    }

    /// La valeur est celle que la page montre ; ce qui peut être repris l'est vraiment, au dernier centime.
    #[test]
    fn what_can_be_taken_out_is_never_told_more_than_it_is() {
        let price = Price::new(dec!(100));
        let quote = Quote::new(price, price).expect("a price");
        let rules = Rules {
            halted: Some("BREAK".to_owned()),
            step: Quantity::new(dec!(0.001)),
            min_quantity: Quantity::new(dec!(0.001)),
            max_quantity: Quantity::new(dec!(9000)),
            min_notional: Usdc::new(dec!(5)),
            max_notional: None,
            tick: None,
            market: true,
        };
        let pairs = Pairs::all(|_| Pair { quote, rules: rules.clone() });
        let market = Market { pairs, rate: Rate::new(dec!(1)), read_at: Moment(0) };
        let booked = Usdc::new(dec!(290.0077));
        let mut holdings = Holdings { cash: booked, ..Holdings::default() };
        holdings.positions[Coin::Sol] =
            Position { quantity: Quantity::new(dec!(1)), invested: Usdc::new(dec!(100)) };
        let cash = Cash { booked, ..Cash::default() };
        let asked = |euros: Decimal| terms(Asked::Euros(Eur::new(euros)), &holdings, cash, &market, true);
        let told = |euros: Decimal| asked(euros).expect_err("it is too much");
        assert!(
            told(dec!(300)).starts_with("of the value of 390.01 EUR at most 290.00 can be taken out now")
        );
        assert!(told(dec!(390.01)).starts_with("390.01 EUR is more than the value of 390.00 EUR"));
        assert!(asked(dec!(290.00)).is_ok());
    }

    #[test]
    fn only_what_was_set_aside_is_seen_to_go() {
        use Shown::{Gone, Nothing, Rebased};
        let usdc = Usdc::new;
        // Niveau d'avant, niveau, aux livres, déjà pris, encore à prendre.
        let cases: [([Decimal; 5], Shown); 12] = [
            ([dec!(100), dec!(100), dec!(100), dec!(0), dec!(60)], Nothing),
            ([dec!(100), dec!(40), dec!(100), dec!(0), dec!(60)], Gone(usdc(dec!(60)))),
            ([dec!(100), dec!(75), dec!(100), dec!(0), dec!(60)], Gone(usdc(dec!(25)))),
            ([dec!(100), dec!(75), dec!(75), dec!(25), dec!(35)], Nothing),
            ([dec!(100), dec!(40), dec!(75), dec!(25), dec!(35)], Gone(usdc(dec!(35)))),
            // Plus que demandé : l'argent d'un autre usage n'en est pas la preuve, un manque l'est.
            ([dec!(5000), dec!(4900), dec!(100), dec!(0), dec!(60)], Rebased(usdc(dec!(4900)))),
            ([dec!(100), dec!(10), dec!(100), dec!(0), dec!(60)], Gone(usdc(dec!(60)))),
            // Ni une part : un achat de la personne, peut-être. À moins d'un USDC près, c'est le retrait.
            ([dec!(5000), dec!(4960), dec!(100), dec!(0), dec!(60)], Nothing),
            ([dec!(5000), dec!(4939.1), dec!(100), dec!(0), dec!(60)], Gone(usdc(dec!(60)))),
            ([dec!(5000), dec!(4939), dec!(100), dec!(0), dec!(60)], Rebased(usdc(dec!(4939)))),
            // De l'argent arrivé entre-temps ne cache pas ce qui partira.
            ([dec!(100), dec!(300), dec!(100), dec!(0), dec!(60)], Rebased(usdc(dec!(300)))),
            ([dec!(100), dec!(300), dec!(75), dec!(25), dec!(35)], Rebased(usdc(dec!(325)))),
        ];
        for (values, expected) in cases {
            let [before, level, own, taken, left] = values.map(usdc);
            assert_eq!(shown(before, level, level < own, taken, left), expected, "{values:?}");
        }
    }
}
