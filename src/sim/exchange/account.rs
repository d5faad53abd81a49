//! Le compte : soldes, droits, commissions.
//!
//! Seul endroit où un solde change. Invariants : rien n'est négatif, et la somme des mouvements d'un actif est
//! celle de ses exécutions moins ses commissions, au dernier chiffre près. Ce qu'un ordre paie est immobilisé avant
//! sa première exécution, et une commission ne se prend que sur ce qui est libre : l'une ne mange pas l'autre.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::order::OrderSide;
use super::refusal::Refusal;
use crate::sim::market::{Level, Listing};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    pub free: Decimal,
    pub locked: Decimal,
}

pub(super) type Balances = BTreeMap<String, Balance>;

#[derive(Clone, Debug)]
pub struct Account {
    pub can_trade: bool,
    /// La clé a le droit de passer des ordres.
    pub key_may_trade: bool,
    /// La clé a le droit de retirer : un client prudent s'en alarme.
    pub key_may_withdraw: bool,
    /// La clé ne sert que depuis les adresses que l'utilisateur a données.
    pub key_ip_restricted: bool,
    pub permissions: Vec<&'static str>,
    pub maker: Decimal,
    pub taker: Decimal,
    pub buyer: Decimal,
    pub seller: Decimal,
    /// Commissions payées en BNB quand le solde libre le couvre.
    pub bnb_fees: bool,
    /// Part du taux normal payée en BNB.
    pub bnb_share: Decimal,
    /// D'autres actifs où les commissions se paient d'abord, et ce qu'ils valent en cotation, tant que ce qui en est
    /// libre le couvre : une promotion que personne n'attendait. L'emportent sur le BNB.
    pub fee_assets: Vec<(String, Decimal)>,
    /// La fiche ne tranche pas (13.5) : vers le bas par défaut.
    pub commission_rounding: RoundingStrategy,
    pub uid: i64,
    /// Filtres MAX_ASSET : le plus qu'un ordre peut mouvoir d'un actif, en base ou en cotation.
    pub max_assets: Vec<(&'static str, Decimal)>,
    pub(super) balances: Balances,
}

impl Account {
    pub(super) fn new(balances: &[(String, Decimal)]) -> Account {
        let held = |(asset, free): &(String, Decimal)| {
            (asset.clone(), Balance { free: *free, locked: Decimal::ZERO })
        };
        Account {
            can_trade: true,
            key_may_trade: true,
            key_may_withdraw: false,
            key_ip_restricted: true,
            permissions: vec!["SPOT"],
            maker: Decimal::new(1, 3),
            taker: Decimal::new(1, 3),
            buyer: Decimal::ZERO,
            seller: Decimal::ZERO,
            bnb_fees: false,
            bnb_share: Decimal::new(75, 2),
            fee_assets: Vec::new(),
            commission_rounding: RoundingStrategy::ToZero,
            uid: 354_937_868,
            max_assets: Vec::new(),
            balances: balances.iter().map(held).collect(),
        }
    }

    pub(super) fn balance(&self, asset: &str) -> Balance {
        self.balances.get(asset).copied().unwrap_or_default()
    }

    pub(super) fn set_free(&mut self, asset: &str, free: Decimal) {
        self.balances.entry(asset.to_owned()).or_default().free = free;
    }

    /// Refuse si le solde libre ne couvre pas `needed`.
    pub(super) fn require(&self, asset: &str, needed: Decimal) -> Result<(), Refusal> {
        if self.balance(asset).free >= needed {
            Ok(())
        } else {
            Err(Refusal::engine("Account has insufficient balance for requested action."))
        }
    }

    /// Immobilise ce qu'un ordre engage : ce que ses exécutions vont payer, et le dû de ce qui restera ouvert.
    pub(super) fn lock(&mut self, asset: &str, amount: Decimal) -> Result<(), Refusal> {
        self.require(asset, amount)?;
        let balance = self.balances.entry(asset.to_owned()).or_default();
        balance.free -= amount;
        balance.locked += amount;
        Ok(())
    }

    /// Rend ce qu'un ordre ouvert engageait.
    pub(super) fn unlock(&mut self, asset: &str, amount: Decimal) {
        let balance = self.balances.entry(asset.to_owned()).or_default();
        balance.locked -= amount;
        balance.free += amount;
        assert!(balance.locked >= Decimal::ZERO, "an order gave back more {asset} than it held");
    }

    /// Échange une exécution, payée sur ce que son ordre immobilise, et prélève sa commission : dans l'actif du
    /// réglage ou en BNB si ce qui en est libre la couvre, sinon dans l'actif reçu, au taux entier. Rend la commission et son actif.
    pub(super) fn settle(
        &mut self,
        listing: &Listing,
        side: OrderSide,
        fill: Level,
        bnb_price: Decimal,
    ) -> (Decimal, String) {
        let (quantity, quote) = (fill.quantity, fill.quote());
        let (paid, received, side_rate) = match side {
            OrderSide::Buy => ((listing.quote, quote), (listing.base, quantity), self.buyer),
            OrderSide::Sell => ((listing.base, quantity), (listing.quote, quote), self.seller),
        };
        self.pay(paid.0, paid.1);
        self.shift(received.0, received.1);
        let rate = self.taker + side_rate;
        let in_bnb = if listing.base == "BNB" { quantity } else { quote / bnb_price } * rate * self.bnb_share;
        let in_bnb = self.round(in_bnb);
        let elsewhere = self.fee_assets.iter();
        let elsewhere = elsewhere.map(|(asset, worth)| (self.round(quote * rate / worth), asset.as_str()));
        let in_bnb = self.bnb_fees.then_some((in_bnb, "BNB"));
        let covered = |(commission, asset): &(Decimal, &str)| self.balance(asset).free >= *commission;
        let (commission, asset) = elsewhere
            .chain(in_bnb)
            .find(covered)
            .unwrap_or_else(|| (self.round(received.1 * rate), received.0));
        let asset = asset.to_owned();
        self.shift(&asset, -commission);
        (commission, asset)
    }

    fn round(&self, commission: Decimal) -> Decimal {
        commission.round_dp_with_strategy(8, self.commission_rounding)
    }

    fn pay(&mut self, asset: &str, amount: Decimal) {
        let balance = self.balances.entry(asset.to_owned()).or_default();
        balance.locked -= amount;
        assert!(balance.locked >= Decimal::ZERO, "an order paid more {asset} than it held");
    }

    fn shift(&mut self, asset: &str, amount: Decimal) {
        let balance = self.balances.entry(asset.to_owned()).or_default();
        balance.free += amount;
        assert!(balance.free >= Decimal::ZERO, "the engine let {asset} go below zero");
    }
}
