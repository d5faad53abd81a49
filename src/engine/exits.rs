//! Ce qui se quitte quand tout n'est pas su.
//!
//! Un coin que le leader ne tient plus se vend à son seul prix : ni le total, ni le cours de l'euro, ni le prix d'un autre n'y changent
//! rien. Le signal, lui, attend le reste.

use rust_decimal::Decimal;

use super::Engine;
use super::holdback::Purpose;
use super::standing::{held, read_again};
use super::story::Shown;
use crate::clock;
use crate::domain::market::Coin;
use crate::domain::money::Weight;
use crate::domain::order::Order;
use crate::domain::plan::Plan;
use crate::domain::signal::{Action, Instruction};
use crate::ledger::LedgerError;

impl Engine {
    /// Vend ce que les signaux qui attendent quittent, là où cela suffit de savoir son prix ; rend combien de trades.
    pub(super) async fn leave(&mut self, shown: Option<&Shown>) -> Result<u32, LedgerError> {
        let due = self.ledger.with(|db| db.due()).await?;
        // Le dernier dit où l'on va ; ce qu'une personne prend passe après lui.
        let Some(entry) = due.last() else { return Ok(0) };
        let Ok(signal) = read_again(entry) else { return Ok(0) };
        let is_over = signal.outlived(entry.received_at, clock::now(), self.ages()).is_some();
        if is_over || entry.maybe_done || held(entry, &signal, shown).is_some() {
            return Ok(0);
        }
        // Des actions se font dans leur ordre : ce qu'une plus ancienne achèterait encore ne serait plus vendu.
        let ordered = matches!(signal.instruction, Instruction::Actions(_));
        if ordered && due.iter().filter(|entry| entry.wish.is_none()).count() > 1 {
            return Ok(0);
        }
        let Some(holdings) = self.ledger.with(|db| db.holdings()).await? else { return Ok(0) };
        let pairs = self.sight.read_since(self.begun, clock::now());
        let sale = |coin: Coin| {
            let owned = holdings.positions[coin].quantity;
            leaves(&signal.instruction, coin).then(|| Order::sell(coin, owned, owned, &pairs).ok()).flatten()
        };
        let sales: Vec<Order> = Coin::ALL.into_iter().filter_map(sale).collect();
        if sales.is_empty() {
            return Ok(0);
        }
        self.keep_readings().await?;
        self.ledger.with(|db| db.interrupt_intents(clock::now())).await?;
        let before = self.trades_of(&entry.signal_id).await?.len();
        let holdback = self.holdback(entry.row, Purpose::of(entry)).await?;
        let plan = Plan { sales, ..Plan::default() };
        self.fulfil(entry.row, (&signal.instruction, plan), holdback, &pairs).await?;
        Ok((self.trades_of(&entry.signal_id).await?.len() - before) as u32)
    }
}

/// Vrai si cette consigne ne laisse rien de ce coin, quoi que vaille le reste.
fn leaves(instruction: &Instruction, coin: Coin) -> bool {
    match instruction {
        Instruction::Target(target) => target.weight(coin).is_zero(),
        // Une part de tout ce qui est tenu : entière, elle l'est de ce coin aussi.
        Instruction::Actions(actions) => {
            matches!(actions[coin], Some(Action::Sell(part)) if part >= Weight::new(Decimal::ONE))
        }
        Instruction::Raise(_) => false,
    }
}
