//! `calvalot restore`, pour une personne : ce qui est là est montré, demandé, fait, puis prouvé.

use std::io::{self, IsTerminal};
use std::path::Path;

use super::{Books, Failure, Return, account, asking, database, load, verify};
use crate::backup;
use crate::check::Report;
use crate::clock;
use crate::config::{Config, Mode};
use crate::daemon;
use crate::domain::lost_past::Brought;
use crate::exchange::Account;
use crate::output::{print, say};
use crate::restore::{self, Past, RestoreError, There};

/// Ce qu'une personne a décidé depuis n'est pas à la bourse.
const PAUSED: &str = "it is paused: what you decided since (pause, sell all, stop loss, deposits, withdrawals, differences) \
                      is not on the exchange; start it, look at the cash and the positions on the page, then resume";

pub(super) fn run(back: Return) -> Result<(), Failure> {
    let path = database()?;
    if let Some(from) = &back.from {
        if back.tag.is_some() {
            let reason = "calvalot: --tag is for a ledger that is lost, and a copy has its own";
            return Err(Failure::Usage(reason.to_owned()));
        }
        return put_back(&path, from);
    }
    let config = load()?;
    let there = restore::there(&config).map_err(unchanged)?;
    match &there {
        There::Ledger if back.tag.is_some() => {
            let reason = "calvalot: --tag is for a ledger that is lost, and this one has a past of its own";
            Err(Failure::Usage(reason.to_owned()))
        }
        There::Ledger => bring_up(&config, &account(&config)?, None),
        There::Foundation => give(&config, &back),
        There::Nothing | There::Blank | There::Unfit(_) => from_account(&config, &back, &there),
    }
}

/// La table des essais, avec le passé d'un autre grand livre que ce compte connaît, s'il en a un : celui qui commence n'est pas
/// le premier. Un compte qui ne se lit pas a déjà sa ligne.
pub(super) fn remember(config: &Config, report: Report) -> Report {
    let pasts = account(config).ok().and_then(|account| restore::pasts(&account).ok());
    let Some(Past { tag, orders, last, .. }) = pasts.as_ref().and_then(|pasts| pasts.last()) else {
        return report;
    };
    let found = format!(
        "{} has no order yet, and this account remembers a ledger of calvalot, {tag}: {orders} orders, the last of {} UTC",
        config.db_path.display(),
        clock::utc(*last)
    );
    let remedy = "`calvalot restore` gives it back; to begin anew all the same, start it and leave those orders outside on \
                  the page";
    report.with_ledger_fault(found, remedy)
}

/// Une copie, puis, si elle est d'argent réel, ce que le compte a fait depuis elle. Ce qu'il faut pour le lui demander est
/// là avant que rien ne change de place.
fn put_back(path: &Path, from: &Path) -> Result<(), Failure> {
    let copy = backup::read(path, from).map_err(daemon::cannot)?;
    let means = copy.live.then(|| means(from)).transpose()?;
    let (before, outside) = copy.put_back().map_err(daemon::cannot)?;
    say(format_args!("{} is now what {} was", path.display(), from.display()));
    if let Some(before) = before {
        say(format_args!("the one of before is {}", before.display()));
    }
    if outside > 0 {
        say(format_args!(
            "left outside the ledger of before, and of this one: {outside} of the account's orders, with what they did"
        ));
    }
    let Some((config, account)) = means else { return Ok(()) };
    tell(&restore::bring_up(&config, &account, None).map_err(later)?);
    verify(Books::default())
}

/// La configuration de cette copie d'argent réel, et l'accès à son compte.
fn means(from: &Path) -> Result<(Config, Account), Failure> {
    let config = load()?;
    if config.mode != Mode::Live {
        let way_out = "set TRADING_MODE=live to put it back, nothing was changed";
        let reason = format!("calvalot: {} is a ledger of real money: {way_out}", from.display());
        return Err(Failure::Failed(reason));
    }
    let account = account(&config)?;
    Ok((config, account))
}

/// Un livre qui est là : s'il ne lui manque rien, il reste comme il est.
fn bring_up(config: &Config, account: &Account, tag: Option<&str>) -> Result<(), Failure> {
    let brought = restore::bring_up(config, account, tag).map_err(unchanged)?;
    if brought.orders == 0 {
        say("this ledger lacks no order of its own that the account knows: nothing was changed");
    } else {
        tell(&brought);
    }
    verify(Books::default())
}

/// Le passé que le compte seul connaît, à un livre d'avant ses premiers ordres.
fn give(config: &Config, back: &Return) -> Result<(), Failure> {
    let account = account(config)?;
    let pasts = restore::pasts(&account).map_err(unchanged)?;
    if pasts.is_empty() {
        return bring_up(config, &account, None);
    }
    show(&pasts);
    let tag = chosen(&pasts, back.tag.as_deref())?;
    let question = format!("give the orders of {tag} to the ledger at {}?", config.db_path.display());
    if !back.yes && !agreed(&question)? {
        return Err(Failure::Failed("calvalot: nothing was changed".to_owned()));
    }
    bring_up(config, &account, Some(tag))
}

/// Ce qui est aux livres maintenant, et ce qui reste à la personne.
fn tell(brought: &Brought) {
    let orders = match brought.orders {
        1 => "1 order that only the account knew is".to_owned(),
        count => format!("{count} orders that only the account knew are"),
    };
    say(format_args!("{orders} in the books now"));
    if !brought.deposited.is_zero() {
        say(format_args!("{} EUR were counted as deposited: the orders spent them", brought.deposited));
    }
    if let Some(unpaid) = brought.unpaid() {
        say(unpaid);
    }
    say(PAUSED);
}

fn show(pasts: &[Past]) {
    for Past { tag, orders, executed, first, last } in pasts {
        let (first, last) = (clock::utc(*first), clock::utc(*last));
        say(format_args!("{tag}: {orders} orders, {executed} executed, from {first} to {last} UTC"));
    }
}

/// Un livre perdu, que le compte seul connaît.
fn from_account(config: &Config, back: &Return, there: &There) -> Result<(), Failure> {
    if let There::Unfit(why) = there {
        say(why);
    }
    let account = account(config)?;
    let pasts = restore::pasts(&account).map_err(unchanged)?;
    if pasts.is_empty() {
        let none = "calvalot: no order on this account was made by calvalot: there is no ledger to give back";
        return Err(Failure::Failed(none.to_owned()));
    }
    show(&pasts);
    let tag = chosen(&pasts, back.tag.as_deref())?;
    let aside = match there {
        There::Unfit(_) | There::Blank => " What is there now is kept aside.",
        There::Nothing | There::Foundation | There::Ledger => "",
    };
    let question = format!(
        "make a new ledger at {} of the orders of {tag}?{aside} What was deposited and withdrawn is not on the exchange: the \
         opening is the configured budget, or more where the orders needed more.",
        config.db_path.display()
    );
    if !back.yes && !agreed(&question)? {
        return Err(Failure::Failed("calvalot: nothing was changed".to_owned()));
    }
    let (brought, before) = restore::from_account(config, &account, tag).map_err(unchanged)?;
    say(format_args!("{} is a ledger again", config.db_path.display()));
    if let Some(before) = before {
        say(format_args!("what was there is {}", before.display()));
    }
    tell(&brought);
    verify(Books::default())
}

/// L'étiquette demandée, ou la seule.
fn chosen<'a>(pasts: &'a [Past], tag: Option<&'a str>) -> Result<&'a str, Failure> {
    match (tag, pasts) {
        (Some(tag), pasts) if pasts.iter().any(|past| past.tag == tag) => Ok(tag),
        (Some(tag), _) => Err(Failure::Failed(format!("calvalot: no order of the account is of {tag}"))),
        (None, [only]) => Ok(&only.tag),
        (None, _) => Err(Failure::Usage("calvalot: say which one with --tag".to_owned())),
    }
}

/// La réponse d'une personne ; sans terminal, il n'y a personne.
fn agreed(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Failed(format!("calvalot: {question} Say it with --yes")));
    }
    print(format_args!("{question} [y/N] "));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(daemon::cannot)?;
    Ok(asking::is_yes(&answer))
}

/// La copie est en place, le compte n'a pas tout dit : c'est à refaire. Le démon regarde de lui-même avant son premier ordre.
fn later(error: RestoreError) -> Failure {
    let again = "the copy is in place, paused, and lacks what the account did since: run `calvalot restore` again without a file; \
                 calvalot looks for it itself before it sends an order, what it finds keeps trading closed, and the page says so";
    told(error, again)
}

/// Aucune copie n'était à mettre : ce qui est là est comme avant.
fn unchanged(error: RestoreError) -> Failure {
    told(error, "nothing was changed: run `calvalot restore` again")
}

fn told(error: RestoreError, again: &str) -> Failure {
    match error {
        RestoreError::Exchange(reason) => Failure::Unproved(format!("calvalot: {reason}\ncalvalot: {again}")),
        RestoreError::Failed(reason) => Failure::Failed(format!("calvalot: {reason}")),
    }
}
