//! Ce que vaut encore un signal qui attend : retenu, dépassé, plus de ce moment, ou à suivre.
//!
//! Rien ne s'y exécute et rien ne s'y écrit. Une allocation n'est suivie que tant que le leader la montre.

use super::story::Shown;
use crate::clock;
use crate::domain::moment::Moment;
use crate::domain::order::Left;
use crate::domain::recourse;
use crate::domain::signal::{Ages, INITIAL_SYNC, Instruction, Signal, Target};
use crate::domain::wish;
use crate::leader;
use crate::ledger::PendingSignal;

/// Ce que l'on dit d'une allocation que le leader ne montre pas à ce tour.
pub(super) const UNSHOWN: &str =
    "the leader does not show this allocation now: it is followed again when he does";

/// Ce qui retient un signal qui vaut encore : une allocation n'est suivie que tant que le leader la montre, et la première, si elle
/// était déjà vieille, que si une personne le veut.
pub(super) fn held(entry: &PendingSignal, signal: &Signal, shown: Option<&Shown>) -> Option<String> {
    let Instruction::Target(target) = signal.instruction else { return None };
    if entry.wish.is_some() {
        return None;
    }
    if entry.awaits_person {
        let age = signal.said_at.map(|said| recourse::told(clock::now().since(said))).unwrap_or_default();
        return Some(format!(
            "this allocation is {age} old: take it over, or wait for the leader's next one"
        ));
    }
    if entry.is_declined {
        return Some("a person waits for the leader's next allocation".to_owned());
    }
    match shown {
        Some(shown) if is_shown(entry, &target, Some(shown)) => shown.expired(clock::now()),
        _ => Some(UNSHOWN.to_owned()),
    }
}

/// Vrai si le leader montre à ce tour l'allocation de ce signal ; la synchronisation initiale suit celle d'un autre.
fn is_shown(entry: &PendingSignal, target: &Target, shown: Option<&Shown>) -> bool {
    match shown {
        Some(shown) if entry.signal_id == INITIAL_SYNC => shown.target() == Some(*target),
        Some(shown) => shown.named.row == entry.row,
        None => false,
    }
}

/// Pourquoi chacun n'est plus suivi : il a peut-être été fait, il n'est plus de ce moment, ou une cible plus récente du leader, ou une personne qui prend
/// tout, le dépasse. Elle ne l'est par rien.
pub(super) fn dropped(
    pending: &[PendingSignal],
    signals: &[Result<Signal, String>],
    shown: Option<&Shown>,
    (now, ages): (Moment, Ages),
) -> Vec<Option<Left>> {
    let all = pending.iter().find(|entry| entry.takes_all());
    let sets = |rank: &usize| pending[*rank].wish.is_none() && sets_target(&signals[*rank]);
    let newest = (0..pending.len()).rev().find(sets);
    let by = |(rank, entry): (usize, &PendingSignal)| {
        if entry.wish.is_some() {
            return None;
        }
        if entry.maybe_done {
            return Some(Left::MaybeDone);
        }
        if let Some(outlived) = outlived(entry, &signals[rank], now, ages) {
            return Some(outlived);
        }
        // Le leader en montre un autre depuis, fût-il d'actions : elle ne sera plus jamais montrée.
        if let (Ok(signal), Some(shown)) = (&signals[rank], shown)
            && let Instruction::Target(target) = signal.instruction
            && shown.named.row > entry.row
            && !is_shown(entry, &target, Some(shown))
        {
            let name = shown.named.name.clone();
            return Some(if shown.target().is_some() {
                Left::Superseded(name)
            } else {
                Left::Replaced(name)
            });
        }
        // La synchronisation initiale ne l'est pas par le signal dont elle vient.
        let newer = |newest: &usize| rank < *newest && pending[*newest].payload != entry.payload;
        let newest = newest.filter(newer).map(|newest| &pending[newest]);
        // Ce dont une personne n'a pas encore voulu reste à décider quand elle reprend.
        let all = all.filter(|_| !entry.awaits_person && !entry.is_declined);
        Some(Left::Superseded(all.or(newest)?.signal_id.clone()))
    };
    pending.iter().enumerate().map(by).collect()
}

/// Ceux qui se suivent ou se closent à ce tour. La synchronisation initiale dont l'allocation a expiré attend la suivante : close,
/// elle ne serait jamais faite.
pub(super) fn in_time(
    pending: Vec<PendingSignal>,
    ages: Ages,
) -> (Vec<PendingSignal>, Vec<Result<Signal, String>>) {
    let now = clock::now();
    let read = pending.into_iter().map(|entry| {
        let signal = read_again(&entry);
        (entry, signal)
    });
    let is_in_time = |(entry, signal): &(PendingSignal, Result<Signal, String>)| {
        entry.signal_id != INITIAL_SYNC || outlived(entry, signal, now, ages).is_none()
    };
    read.filter(is_in_time).unzip()
}

/// Pourquoi ce signal n'est plus de ce moment ; `None` s'il l'est.
fn outlived(entry: &PendingSignal, signal: &Result<Signal, String>, now: Moment, ages: Ages) -> Option<Left> {
    signal.as_ref().ok()?.outlived(entry.received_at, now, ages)
}

/// Le signal gardé au grand livre, décodé à nouveau. La synchronisation initiale garde le texte du
/// signal dont elle vient : elle n'en suit que l'allocation. Le souhait d'une personne a un texte à nous.
pub(super) fn read_again(entry: &PendingSignal) -> Result<Signal, String> {
    if entry.wish.is_some() {
        let instruction = wish::instruction(&entry.payload)?;
        let id = entry.signal_id.clone();
        return Ok(Signal { id, instruction, target: None, said_at: None, expires_at: None });
    }
    let signal = leader::decode(&entry.payload)?.verdict?;
    if entry.signal_id != INITIAL_SYNC {
        return Ok(signal);
    }
    let target = signal.target.ok_or("the signal behind the initial sync has no allocation")?;
    Ok(Signal { id: INITIAL_SYNC.to_owned(), instruction: Instruction::Target(target), ..signal })
}

fn sets_target(signal: &Result<Signal, String>) -> bool {
    matches!(signal, Ok(Signal { instruction: Instruction::Target(_), .. }))
}
