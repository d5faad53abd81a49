//! Un leader qui redit, revient en arrière, perd son état, se contredit, tourne casaque à chaque tour ou inonde, pendant que le
//! suiveur meurt et que l'exécution reste honnête : rien ne part que d'un mot qu'il montre et qui vaut, la borne d'un jour tient, et
//! ce qu'il dit enfin est atteint.

use std::collections::BTreeSet;
use std::time::Duration;

use calvalot::domain::market::Coin;
use calvalot::domain::policy::{self, Policy};
use calvalot::domain::signal::INITIAL_SYNC;
use calvalot::ledger::views::Selection;
use calvalot::sim::OrderSide;
use fastrand::Rng;
use rust_decimal::{Decimal, dec};

use crate::tally::Tally;
use crate::universe::{START, Universe};
use crate::{mend, play, proof, reach, rest, scenario};

const POLL: Duration = Duration::from_secs(120);

/// Le temps qu'un tour met à finir ce qu'il a entendu : le leader a pu changer d'avis depuis.
const HEARD: i64 = 150_000;

const DAY: i64 = 24 * 3600 * 1000;

/// Ce que le leader a dit un jour et qui valait alors.
struct Word {
    id: String,
    text: String,
}

/// Le leader, et ce qu'il a montré : depuis quand, et ce qui pouvait en être suivi.
struct Leader {
    universe: Universe,
    shown: Vec<(i64, Option<String>)>,
    words: Vec<Word>,
    capital: Decimal,
}

impl Leader {
    fn now(&self) -> i64 {
        START.0 + self.universe.elapsed().as_millis() as i64
    }

    /// Ce qui est montré désormais.
    fn shows(&mut self, followed: Option<String>) {
        self.shown.push((self.now(), followed));
    }

    /// Une allocation de plus, honnête.
    fn says(&mut self, dice: &mut Rng) {
        let leader = self.universe.world.leader();
        let id = leader.set_target(&scenario::target(dice));
        let text = leader.signal().expect("it has just spoken");
        self.words.push(Word { id: id.clone(), text });
        self.shows(Some(id));
    }

    /// Ce texte, qui ne doit rien faire faire.
    fn lies(&mut self, text: String) {
        self.universe.world.leader().set_raw(text);
        self.shows(None);
    }

    /// Laisse passer ce temps, coupé ou non en chemin ; le suiveur vit à la fin.
    fn passes(&mut self, duration: Duration, dice: &mut Rng) {
        self.universe.pass(duration, (dice.u8(0..3) == 0).then(|| dice.u64(1..200)));
        if !self.universe.is_alive() {
            self.universe.start();
        }
    }

    /// Le suiveur a entendu le dernier mot.
    fn is_heard(&mut self) {
        mend(&mut self.universe);
        self.universe.pass(3 * POLL, None);
        self.weighs();
    }

    /// Redit un mot d'avant le dernier, que le suiveur connaît.
    fn goes_back(&mut self, dice: &mut Rng) {
        let known: BTreeSet<String> = self
            .universe
            .books(|db| db.signals(&Selection::last(10_000)))
            .into_iter()
            .map(|signal| signal.signal_id)
            .collect();
        let before = self.words.len().saturating_sub(1);
        let old: Vec<&Word> = self.words[..before].iter().filter(|word| known.contains(&word.id)).collect();
        if let Some(word) = dice.choice(old) {
            self.lies(word.text.clone());
        }
    }

    /// Le dernier mot, dont un détail a changé de façon qu'il ne vaille plus rien.
    fn breaks_off(&mut self, dice: &mut Rng) {
        let last = self.words.last().expect("it has spoken").text.clone();
        let state = last.find("\"portfolio_state\"").expect("an allocation");
        let emptied = |rest: &str| format!("{}\"portfolio_state\":{rest}}}", &last[..state]);
        let text = match dice.u8(0..5) {
            0 => emptied(r#"{"positions":[],"cash_pct":0}"#),
            1 => emptied(r#"{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":40}],"cash_pct":60}"#),
            2 => format!("{}\"expires_at\":\"2026-01-01T00:00:00Z\",{}", &last[..state], &last[state..]),
            3 => last[..state].to_owned(),
            _ => String::new(),
        };
        self.lies(text);
    }

    /// Une autre allocation sous le même nom.
    fn contradicts_itself(&mut self, dice: &mut Rng) {
        let Word { id, .. } = self.words.last().expect("it has spoken");
        let id = id.clone();
        let other = scenario::target(dice);
        let leader = self.universe.world.leader();
        let fresh = leader.set_target(&other);
        let text = leader.signal().expect("it has just spoken").replace(&fresh, &id);
        leader.set_raw(text.clone());
        self.words.last_mut().expect("it has spoken").text = text;
        self.shows(Some(id));
    }

    /// Tout le contraire à chaque tour, pendant des heures.
    fn flips(&mut self, dice: &mut Rng) {
        for poll in 0..dice.u32(20..80) {
            let pair = if poll % 2 == 0 { "SOLUSDC" } else { "XRPUSDC" };
            let leader = self.universe.world.leader();
            let id = leader.set_target(&[(pair, dec!(0.95))]);
            let text = leader.signal().expect("it has just spoken");
            self.words.push(Word { id: id.clone(), text });
            self.shows(Some(id));
            self.universe.pass(POLL, None);
        }
    }

    /// Plus de signaux que personne n'en dit en un jour.
    fn floods(&mut self, dice: &mut Rng) {
        for _ in 0..policy::MOST_SIGNALS + 30 {
            self.says(dice);
            self.universe.pass(POLL, None);
        }
    }

    fn chapter(&mut self, dice: &mut Rng) {
        self.is_heard();
        match dice.u8(0..20) {
            0..4 => self.says(dice),
            4..8 => self.goes_back(dice),
            8..12 => self.breaks_off(dice),
            12..15 => self.contradicts_itself(dice),
            15..17 => self.flips(dice),
            17..19 => {
                self.universe.world.leader().no_signal();
                self.shows(None);
            }
            _ => self.floods(dice),
        }
        for _ in 0..dice.u32(1..4) {
            self.passes(Duration::from_secs(dice.u64(1..1200)), dice);
        }
        if dice.bool() {
            scenario::move_prices(&self.universe, dice);
        }
        self.weighs();
    }

    /// Le plus que le capital ait valu.
    fn weighs(&mut self) {
        let Some(holdings) = self.universe.books(|db| db.holdings()) else { return };
        let price = |pair| self.universe.world.exchange().price(pair);
        let positions = Coin::ALL.into_iter();
        let value = positions.map(|coin| holdings.positions[coin].quantity.decimal() * price(coin.pair()));
        self.capital = self.capital.max(holdings.cash.decimal() + value.sum::<Decimal>());
    }

    /// Chaque ordre vient de ce que le leader montrait alors, et qui valait.
    fn each_order_had_its_word(&self) {
        for order in self.universe.world.exchange().accepted_orders() {
            let (name, sent) = (order.client_id.clone(), order.time_ms);
            let intent = self.universe.books(move |db| db.intent_named(&name)).expect("it is ours");
            let id = intent.signal_id.split(" #").next().expect("a name");
            let until = self.shown.partition_point(|(from, _)| *from <= sent);
            let since = self.shown.partition_point(|(from, _)| *from <= sent - HEARD).saturating_sub(1);
            let mut words = self.shown[since..until].iter().filter_map(|(_, word)| word.as_ref());
            assert!(words.any(|word| word == id || id == INITIAL_SYNC), "on no word of its hour: {intent:?}");
        }
    }

    /// En aucun jour il ne s'est acheté au-delà de la borne, ventes comprises ; un ordre ne se coupe pas au centime. Ce qui sort vers le
    /// cash n'est pas retenu, et ne dépasse pas ce qui est tenu.
    fn no_day_was_too_much(&self) {
        let orders = self.universe.world.exchange().accepted_orders();
        for (rank, last) in orders.iter().enumerate() {
            let day = orders[..=rank].iter().rev().take_while(|order| order.time_ms > last.time_ms - DAY);
            let traded: Decimal = day.map(|order| order.quote).sum();
            let most = if last.side == OrderSide::Buy { dec!(3.03) } else { dec!(4.04) };
            let of = self.capital;
            assert!(traded <= of * most, "{traded} of {of} in the day that ends with {last:?}");
        }
    }
}

/// Une vie où seul le leader déraille.
fn misguided(seed: u64) -> Tally {
    let mut dice = Rng::with_seed(seed);
    let mut universe = Universe::new(seed, 0);
    universe.machines[0].policy = Policy::default();
    let mut leader = Leader { universe, shown: Vec::new(), words: Vec::new(), capital: Decimal::ZERO };
    leader.says(&mut dice);
    leader.universe.start();
    for _ in 0..dice.u32(4..9) {
        leader.chapter(&mut dice);
    }
    leader.each_order_had_its_word();
    leader.no_day_was_too_much();
    let mut universe = leader.universe;
    mend(&mut universe);
    // Les bornes d'un jour ne retiennent plus rien.
    universe.world.leader().no_signal();
    universe.pass(Duration::from_secs(25 * 3600), None);
    rest(&mut universe);
    reach(&mut universe, &scenario::target(&mut dice));
    proof::every_coin_has_its_answer(&universe);
    proof::no_value_was_false(&universe);
    Tally::of(&universe)
}

#[test]
fn nothing_is_sent_on_a_word_the_leader_does_not_show_and_what_it_says_at_last_is_reached() {
    play(misguided, &[22, 24]);
}
