//! La machine : la configuration, la place et le droit d'écrire, le grand livre s'il existe.
//!
//! N'écrit rien, pas même pour essayer : le démon fait ces essais sur le fil qui sert tout le monde, et une
//! carte SD peut mettre des secondes à écrire. Le grand livre n'est que regardé.

use std::io;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD};

use crate::config::Config;
use crate::domain::check::{Check, Verdict};
use crate::domain::intent::State;
use crate::domain::money::Eur;
use crate::domain::portfolio::Holdings;
use crate::domain::survival::LEAST_BUDGET;
use crate::ledger::views::Intent;
use crate::ledger::{self, Found, LedgerError, Silenced, copies};

const MEGABYTE: u64 = 1024 * 1024;

/// Dix ans de grand livre tiennent dans moins que cela.
const SPACE_WANTED: u64 = 500 * MEGABYTE;

/// En dessous, un journal SQLite et une mise à jour ne tiennent plus ensemble.
const SPACE_NEEDED: u64 = 50 * MEGABYTE;

/// Le capital, d'après le grand livre.
pub(super) enum Capital {
    Counted(Holdings),
    /// Un premier démarrage le comptera, dans ce qui est là.
    ToBegin(Eur),
    /// Pourquoi on ne le sait pas : rien ne se dit alors de ce qu'il faudrait.
    Unknown(&'static str),
}

/// Ce que le grand livre dit de lui, du capital, du compte et des ordres.
pub(super) struct Seen {
    pub line: Check,
    pub capital: Capital,
    /// `None` s'il n'est pas là, ou n'est pas le bon.
    pub books: Option<Books>,
}

impl Seen {
    fn without(line: Check, capital: Capital) -> Seen {
        Seen { line, capital, books: None }
    }

    fn unfit(line: Check) -> Seen {
        Seen::without(line, Capital::Unknown(UNKNOWN))
    }
}

/// Pourquoi ce qui dépend d'un grand livre perdu, abîmé ou d'un autre n'est pas essayé.
pub(super) const UNKNOWN: &str = "the ledger is not known";

/// De même, de celui d'un autre programme ou d'une version d'avant, dont l'ouverture n'est pas comptée.
const TAKEN_OVER: &str = "what the first start takes over is not counted yet";

/// Un grand livre mort ne suit plus personne : ce qu'il tient se vend et se sort encore.
const DEAD: &str = "DEAD: its value fell below 5 EUR, and it follows nobody any more";
const TO_BEGIN_AGAIN: &str = "take out what is left (`calvalot decide`); to follow again, set another DB_PATH: that begins a new ledger";

/// Ce que le grand livre dit du compte et des ordres.
pub(super) struct Books {
    /// Le compte du premier démarrage réel.
    pub uid: Option<i64>,
    /// Les ordres dont l'issue n'est pas connue, et ceux qui ont été exécutés après qu'on les a crus absents.
    pub doubtful: Vec<Intent>,
    pub late: Vec<Intent>,
    /// Vrai s'il n'a encore envoyé aucun ordre.
    pub untouched: bool,
    /// Pourquoi il n'est peut-être pas seul sur son compte.
    pub not_alone: Option<String>,
    /// Mort, pour de bon.
    pub dead: bool,
}

/// La configuration a été lue : il reste ses avertissements.
pub(super) fn configuration(config: &Config) -> Check {
    let found = format!("{}, {} EUR", config.mode.word(), config.initial_budget);
    if config.warnings.is_empty() {
        Check::fine("configuration", found)
    } else {
        Check::remark("configuration", found, config.warnings.join("; "))
    }
}

/// Le dossier de la base : on y écrit, et il reste de la place.
pub(super) fn disk(db_path: &Path) -> Check {
    // Le démon crée les dossiers qui manquent : c'est le premier qui existe qui compte.
    let absolute = std::path::absolute(db_path).unwrap_or_else(|_| db_path.to_owned());
    let Some(folder) = absolute.ancestors().skip(1).find(|folder| folder.exists()) else {
        return Check::fault(
            "disk",
            format!("no folder leads to {}", db_path.display()),
            "set another DB_PATH",
        );
    };
    if let Err(error) = may_write(folder) {
        let remedy = "let the user that runs calvalot write there (chown, or a volume that is not read-only), or set \
                      another DB_PATH";
        return Check::fault("disk", format!("cannot write in {}: {error}", folder.display()), remedy);
    }
    let file =
        |path: &Path| rustix::fs::accessat(CWD, path, Access::READ_OK | Access::WRITE_OK, AtFlags::EACCESS);
    let closed = ledger::written(db_path).into_iter().find_map(|path| Some((file(&path).err()?, path)));
    if let Some((error, path)) = closed {
        let remedy = "let the user that runs calvalot read and write it (chown, or chmod u+rw)";
        return Check::fault("disk", format!("cannot write {}: {error}", path.display()), remedy);
    }
    let line = match rustix::fs::statvfs(folder) {
        Ok(disk) => space(disk.f_bavail.saturating_mul(disk.f_frsize), folder),
        Err(error) => Check::not_tested("disk", format!("free space of {}: {error}", folder.display())),
    };
    let copies = copies::folder(db_path);
    match (&line.advice, may_write(&copies)) {
        (None, Err(error)) if copies.exists() => {
            let advice = format!(
                "no copy can be made in {} ({error}): let the user that runs calvalot write there (chown)",
                copies.display()
            );
            Check { advice: Some(advice), ..line }
        }
        _ => line,
    }
}

/// Ce que le système répondrait à qui voudrait y poser un fichier.
fn may_write(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    Ok(rustix::fs::accessat(CWD, folder, wanted, AtFlags::EACCESS)?)
}

fn space(free: u64, folder: &Path) -> Check {
    let found = format!("{} is writable, {} MB free", folder.display(), free / MEGABYTE);
    let remedy = "make room on this disk: a ledger that cannot be written stops the trading";
    if free < SPACE_NEEDED {
        Check::fault("disk", found, remedy)
    } else if free < SPACE_WANTED {
        Check::remark("disk", found, remedy)
    } else {
        Check::fine("disk", found)
    }
}

/// Le grand livre, relu en entier comme au démarrage. Une lecture de tout le fichier : le démon, qui a fait la sienne en
/// s'ouvrant, s'en tient à [`ledger`].
pub(super) fn whole_ledger(config: &Config) -> Seen {
    let path = config.db_path.display();
    match ledger::examine(&config.db_path) {
        Ok(Found::Current) => {
            let mut seen = ledger(config);
            let not_alone = seen.books.as_ref().and_then(|books| books.not_alone.clone());
            if seen.books.as_ref().is_some_and(|books| books.dead) {
                seen.line = Check::fault("ledger", format!("{path} is {DEAD}"), TO_BEGIN_AGAIN);
            }
            let remedy =
                "start it and decide on the page, or with `calvalot restore`: nothing is traded before that";
            if let Some(reason) = not_alone {
                seen.line = Check::fault("ledger", reason, remedy);
            }
            seen
        }
        Ok(Found::Older) => {
            let found = format!("{path} is of a version of before, the first start takes it over");
            Seen::without(Check::fine("ledger", found), Capital::Unknown(TAKEN_OVER))
        }
        Ok(Found::Nothing) => {
            let budget = config.initial_budget;
            let line = if budget < LEAST_BUDGET {
                let found = format!("{budget} EUR are too little to begin a ledger with");
                let remedy = format!("set INITIAL_BUDGET_EUR to {LEAST_BUDGET} or more");
                Check::fault("ledger", found, remedy)
            } else {
                Check::fine("ledger", format!("{path} does not exist yet, the first start makes it"))
            };
            Seen::without(line, Capital::ToBegin(budget))
        }
        Err(error) => Seen::unfit(unfit(config, error)),
    }
}

/// Le grand livre : lisible, et du même mode que la configuration.
pub(super) fn ledger(config: &Config) -> Seen {
    let (path, mode) = (config.db_path.display(), config.mode.word());
    match look(&config.db_path) {
        Ok(None) => {
            let reason = format!("{path} is not there, or not taken over yet");
            Seen::unfit(Check::not_tested("ledger", reason))
        }
        Ok(Some(Looked { mode: kept, .. })) if kept != mode => {
            let found = format!("{path} belongs to {kept} and TRADING_MODE is {mode}");
            let remedy = format!("set another DB_PATH for {mode}, or set TRADING_MODE={kept}");
            Seen::unfit(Check::fault("ledger", found, remedy))
        }
        Ok(Some(Looked { deposited, capital, books, .. })) => {
            let found = format!("{path} is a ledger of {mode}, {deposited} EUR deposited");
            Seen { line: Check::fine("ledger", found), capital, books: Some(books) }
        }
        Err(error) => Seen::unfit(unfit(config, error)),
    }
}

fn unfit(config: &Config, error: LedgerError) -> Check {
    match error {
        LedgerError::Unfit { found, remedy } => Check::fault("ledger", found, remedy),
        error => {
            let remedy = "put a good copy back with `calvalot restore FILE`, or set another DB_PATH";
            Check::fault("ledger", format!("{}: {error}", config.db_path.display()), remedy)
        }
    }
}

/// Un grand livre à nous, d'aujourd'hui.
struct Looked {
    mode: String,
    deposited: Eur,
    capital: Capital,
    books: Books,
}

fn look(path: &Path) -> Result<Option<Looked>, LedgerError> {
    let Some(db) = ledger::look(path)? else { return Ok(None) };
    let (agent, deposited) = (db.agent()?, db.account()?.deposited);
    let capital = match db.holdings()? {
        Some(holdings) => Capital::Counted(holdings),
        None if db.is_taken_over()? => Capital::Unknown(TAKEN_OVER),
        None => Capital::ToBegin(deposited),
    };
    let books = Books {
        uid: db.account_uid()?,
        doubtful: db.doubtful()?,
        late: db.late()?,
        untouched: db.orders(1)?.is_empty(),
        not_alone: db.exchange_state()?.not_alone,
        dead: agent.dead,
    };
    Ok(Some(Looked { mode: agent.mode, deposited, capital, books }))
}

/// Le dernier silence que la bourse a demandé au démon ; `None` s'il n'y en a pas, ou pas de grand livre lisible.
pub(super) fn silence(path: &Path) -> Option<Silenced> {
    ledger::look(path).ok()??.exchange_state().ok()?.silenced
}

/// Les ordres du grand livre qui attendent une réponse, ou quelqu'un ; `ledger` est la ligne du grand livre.
pub(super) fn orders(ledger: &Check, books: Option<&Books>) -> Check {
    if ledger.verdict == Verdict::Fault && books.is_none_or(|books| !books.dead) {
        return Check::not_tested("orders", UNKNOWN);
    }
    let Some(books) = books.filter(|books| !books.doubtful.is_empty() || !books.late.is_empty()) else {
        return Check::fine("orders", "none is in doubt");
    };
    let is_stuck = |intent: &&Intent| intent.state == State::Stuck;
    let stuck: Vec<String> = books.doubtful.iter().filter(is_stuck).map(named).collect();
    let open: Vec<String> = books.doubtful.iter().filter(|intent| !is_stuck(intent)).map(named).collect();
    let late: Vec<String> = books.late.iter().map(named).collect();
    let told = [(&stuck, "stuck"), (&late, "executed late"), (&open, "in doubt")];
    let told = told.iter().filter(|(orders, _)| !orders.is_empty());
    let told: Vec<String> = told.map(|(orders, how)| format!("{how}: {}", orders.join(", "))).collect();
    let found = told.join("; ");
    if stuck.is_empty() && late.is_empty() {
        let advice = "calvalot asks the exchange about them until it is sure: let it run, their coins are left alone \
                      meanwhile";
        return Check::remark("orders", found, advice);
    }
    let remedy = "look at these orders on Binance, then release them on the page: the coin of a stuck order is frozen, \
                  and after a late one nothing is bought, until a person has looked";
    Check::fault("orders", found, remedy)
}

/// `BUY BTCUSDC (cal-…)` : de quoi le retrouver à la bourse.
fn named(intent: &Intent) -> String {
    let name = intent.sent.as_ref().map_or("simulated", |sent| &sent.client_id);
    format!("{} {} ({name})", intent.side.word(), intent.coin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_up_is_said_before_it_is_full() {
        let cases = [
            (0, Verdict::Fault, true),
            (SPACE_NEEDED - 1, Verdict::Fault, true),
            (SPACE_NEEDED, Verdict::Fine, true),
            (SPACE_WANTED, Verdict::Fine, false),
        ];
        for (free, verdict, advised) in cases {
            let line = space(free, Path::new("data"));
            assert_eq!((line.verdict, line.advice.is_some()), (verdict, advised), "{free}");
        }
    }
}
