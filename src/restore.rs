//! `calvalot restore` d'un livre d'argent réel : ce que la bourse sait de lui et qu'il ne sait plus lui est rendu, ordre par
//! ordre, avec ses exécutions et ses frais.
//!
//! D'une copie de n'importe quel âge, ou de rien, si la carte est morte : une étiquette à nous, vue sur le compte, montrée
//! puis choisie. Le démon est arrêté : le verrou du livre est pris. Invariant : rien n'est mis aux livres que la bourse n'ait
//! dit en entier ; les mouvements d'argent, qu'elle ne sait pas, ne s'inventent pas.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::backup;
use crate::clock;
use crate::config::{Config, Mode};
use crate::domain::belief;
use crate::domain::book::Fill;
use crate::domain::execution::{self, BnbPrice, Executions, Incomplete, Report};
use crate::domain::intent::State;
use crate::domain::lost_past::{self, Brought, LostOrder, LostPast, Payer};
use crate::domain::market::{Coin, Readings};
use crate::domain::moment::Moment;
use crate::domain::money::{Price, Rate, Usdc};
use crate::domain::movement::Movement;
use crate::domain::order_name::OrderName;
use crate::exchange::{Account, OTHER_ACCOUNT, Questions, Silence, Trouble};
use crate::ledger::views::{Intent, Selection};
use crate::ledger::{self, Db, Found, Ledger, LedgerError, Silenced};

/// Pourquoi rien, ou pas tout, n'a été rendu ; une phrase pour la personne.
#[derive(Debug)]
pub enum RestoreError {
    /// La bourse n'a pas tout dit : à refaire.
    Exchange(String),
    Failed(String),
}

impl From<LedgerError> for RestoreError {
    fn from(error: LedgerError) -> Self {
        RestoreError::Failed(error.to_string())
    }
}

/// Un passé que le compte connaît : tous les ordres d'une famille d'étiquettes, sous la plus récente.
pub struct Past {
    pub tag: String,
    pub orders: usize,
    pub executed: usize,
    pub first: Moment,
    pub last: Moment,
}

/// Un ordre du compte qui porte un nom à nous.
type Named = (Report, OrderName);

/// Pourquoi un ordre ne se met pas aux livres.
enum Untold {
    /// Ce que la bourse en dit se contredit.
    Strange(String),
    /// Elle ne l'a pas dit en entier.
    Yet(String),
}

impl From<Untold> for RestoreError {
    fn from(untold: Untold) -> Self {
        let (Untold::Strange(reason) | Untold::Yet(reason)) = untold;
        RestoreError::Exchange(reason)
    }
}

/// Un ordre que la bourse raconte mal a peut-être payé la suite, ou pris ce qui la paierait.
const UNPAID: &str = "what was bought since depends on an order of this ledger that needs a person: start calvalot, end that order on the \
                      page, then adopt the others there";

/// Les ordres d'un autre compte ne sont pas de ces livres.
const STRANGE: &str = "nothing of it was booked; set the key of the account of this ledger, then run `calvalot restore` without a file";

/// L'accès au compte, à son rythme, et ce que valent des frais en BNB.
struct Desk<'a> {
    questions: Questions<'a>,
    bnb: Option<Price>,
    rate: Option<Rate>,
}

/// Ce qui est là où un livre doit revenir.
pub enum There {
    Nothing,
    /// Un livre qui n'a encore rien envoyé : commencé de rien.
    Blank,
    /// Un livre d'avant ses premiers ordres d'ici, repris du programme Python ou à reprendre : un passé s'y ajoute.
    Foundation,
    Ledger,
    /// Ce dont on ne peut pas se servir, et pourquoi.
    Unfit(String),
}

/// Ce qui est à l'endroit de cette configuration.
pub fn there(config: &Config) -> Result<There, RestoreError> {
    is_live(config)?;
    match ledger::examine(&config.db_path) {
        Err(unfit @ LedgerError::Unfit { .. }) => return Ok(There::Unfit(unfit.to_string())),
        Err(error) => return Err(error.into()),
        Ok(Found::Nothing) => return Ok(There::Nothing),
        Ok(Found::Older) => return Ok(There::Foundation),
        Ok(Found::Current) => {}
    }
    let Some(db) = ledger::look(&config.db_path)? else { return Ok(There::Foundation) };
    let untouched = db.orders(1)?.is_empty();
    let traded = !db.trades(&Selection::last(1))?.is_empty() || !db.open_positions()?.is_empty();
    Ok(match (untouched, traded) {
        (true, false) => There::Blank,
        (true, true) => There::Foundation,
        (false, _) => There::Ledger,
    })
}

/// Rend au livre de cette configuration ce que le compte en sait de plus, et le met alors en pause. `tag` : l'étiquette du
/// passé à donner à un livre d'avant ses premiers ordres.
///
/// # Errors
/// Quand un démon s'en sert, que la bourse ne peut pas tout dire, ou que ce livre a envoyé des ordres sous une autre étiquette
/// que `tag` ; rien n'a alors changé.
pub fn bring_up(config: &Config, account: &Account, tag: Option<&str>) -> Result<Brought, RestoreError> {
    let (ledger, thread) = open(config)?;
    let done = smol::block_on(async {
        let (silenced, uid) =
            ledger.with(|db| Ok((db.exchange_state()?.silenced, db.account_uid()?))).await?;
        let mut desk = Desk::at(account, silenced).await;
        desk.is_of(uid).await?;
        let (own, outside) = ledger.with(|db| Ok((db.tag()?, db.left_outside()?))).await?;
        let outside: BTreeSet<_> = outside.iter().map(|order| (order.coin, order.order_id)).collect();
        let tag = tag.unwrap_or(&own).to_owned();
        let (mut lacking, mut names, mut payer) = (Vec::new(), BTreeSet::new(), Payer::Deposit);
        for (report, _) in desk.named(|name| name.is_kin(&tag)).await? {
            // Ce qu'une personne a laissé dehors y reste.
            if outside.contains(&(report.coin, report.order_id)) {
                continue;
            }
            let (seen, served) = (report.clone(), names.contains(&report.client_id));
            let (known, unended, named) = ledger
                .with(move |db| {
                    let named = db.intent_named(&seen.client_id)?.is_some();
                    // De deux sous un nom, le premier finit l'intention, qui n'a pas encore de numéro.
                    let known = if served { db.knows_by_number(&seen)? } else { db.knows(&seen)? };
                    let unended = if served { None } else { unended(db, &seen)? };
                    Ok((known, unended, named))
                })
                .await?;
            if known && unended.is_none() {
                continue;
            }
            let fill = match (desk.fill(&report).await, &unended) {
                // Ce livre l'attend déjà : une personne le finira, ou l'a réglé.
                (Err(Untold::Strange(_)), Some(intent)) => {
                    payer = payer.with(intent.state.is_in_doubt(), intent.side);
                    continue;
                }
                (fill, _) => fill?,
            };
            let second = served || (named && unended.is_none());
            names.insert(report.client_id.clone());
            lacking.push(LostOrder { report, fill, ends: unended.map(|intent| intent.id), second });
        }
        if lacking.is_empty() {
            return Ok(Brought::default());
        }
        desk.open_account(&ledger).await?;
        let mut past = LostPast::of(lacking);
        // Le cours manque ici, ou ne manquera plus.
        let paid = desk.payment(&ledger, &mut past, payer).await?;
        if tag != own {
            ledger.with(move |db| db.take_tag(&tag)).await?;
        }
        put(&ledger, past, paid).await
    });
    drop(ledger);
    thread.join();
    done
}

/// Met ces ordres aux livres, avec ce qui les a payés, et en pause.
async fn put(
    ledger: &Ledger,
    past: LostPast,
    (deposit, of_others): (Option<Movement>, Usdc),
) -> Result<Brought, RestoreError> {
    let deposited = deposit.as_ref().map(|deposit| deposit.eur).unwrap_or_default();
    let brought = Brought { orders: past.orders().len(), deposited, of_others, ..Brought::default() };
    let adopt = move |db: &mut Db| db.adopt(&past, deposit.as_ref(), ledger::PUT_BACK, clock::now());
    ledger.with(adopt).await?;
    Ok(brought)
}

/// L'intention que cet ordre, exécuté, finit, et dont le livre ne sait pas la fin ; ni celle dont une personne a réglé ce qu'elle
/// avait changé.
fn unended(db: &Db, report: &Report) -> Result<Option<Intent>, LedgerError> {
    let named = db.intent_named(&report.client_id)?.filter(|intent| {
        intent.state != State::Filled
            && !intent.accounted
            && report.ended
            && !report.executed.is_zero()
            && intent.may_be(report)
            && intent.order_id.is_none_or(|number| number == report.order_id)
    });
    let Some(intent) = named else { return Ok(None) };
    let settled = db.settled_since(intent.id)?;
    let explained = settled.explains(report.side, report.executed, report.amount.unwrap_or_default());
    Ok((!explained).then_some(intent))
}

/// Les passés que le compte connaît, du plus ancien au plus récent.
pub fn pasts(account: &Account) -> Result<Vec<Past>, RestoreError> {
    smol::block_on(async {
        let mut desk = Desk::new(account);
        let reports = desk.named(|_| true).await?;
        let mut pasts = BTreeMap::<String, Past>::new();
        for (report, name) in reports {
            let kin = pasts.keys().find(|tag| name.is_kin(tag)).cloned().unwrap_or(name.tag.clone());
            let past = pasts.entry(kin).or_insert_with(|| Past {
                tag: name.tag.clone(),
                orders: 0,
                executed: 0,
                first: report.at,
                last: report.at,
            });
            past.orders += 1;
            past.tag = name.tag;
            past.executed += usize::from(!report.executed.is_zero());
            past.first = past.first.min(report.at);
            past.last = past.last.max(report.at);
        }
        let mut pasts: Vec<Past> = pasts.into_values().collect();
        pasts.sort_by_key(|past| past.last);
        Ok(pasts)
    })
}

/// Refait un livre de rien, à côté, puis le met en place : celui de cette étiquette, en pause. Ce qui avait été versé et
/// repris n'est pas à la bourse : l'ouverture est le capital de la configuration, ou ce que les ordres ont demandé s'ils ont
/// demandé plus. Rend ce qu'il a, et où est allé ce qui était là.
///
/// # Errors
/// Quand la bourse ne peut pas tout dire : aucun livre n'est alors fait, et ce qui est là y reste.
pub fn from_account(
    config: &Config,
    account: &Account,
    tag: &str,
) -> Result<(Brought, Option<PathBuf>), RestoreError> {
    is_live(config)?;
    let (desk, orders, recent) = smol::block_on(async {
        let mut desk = Desk::at(account, None).await;
        desk.rate()?;
        let (mut orders, mut names) = (Vec::new(), BTreeSet::new());
        for (report, _) in desk.named(|name| name.is_kin(tag)).await? {
            let fill = desk.fill(&report).await?;
            let second = names.replace(report.client_id.clone()).is_some();
            orders.push(LostOrder { report, fill, ends: None, second });
        }
        let mut recent = Vec::new();
        for coin in Coin::ALL {
            recent.push((coin, desk.questions.recent(coin).await.map_err(unsaid)?));
        }
        Ok::<_, RestoreError>((desk, orders, recent))
    })?;
    let workshop = Workshop::beside(&config.db_path)?;
    let (ledger, thread) = open(&Config { db_path: workshop.ledger.clone(), ..config.clone() })?;
    let chosen = tag.to_owned();
    let done = smol::block_on(async {
        ledger.with(move |db| db.take_tag(&chosen)).await?;
        desk.open_account(&ledger).await?;
        let mut past = LostPast::of(orders);
        let paid = desk.payment(&ledger, &mut past, Payer::Deposit).await?;
        // Les autres passés de ce compte ont été montrés avec celui-ci.
        for (coin, reports) in recent {
            ledger.with(move |db| db.see_orders(coin, &reports, false)).await?;
        }
        ledger.with(|db| db.settle_others()).await?;
        put(&ledger, past, paid).await
    });
    drop(ledger);
    thread.join();
    let brought = done?;
    let before = backup::put(&config.db_path, &workshop.ledger);
    let before = before.map_err(|error| RestoreError::Failed(error.to_string()))?;
    Ok((brought, before))
}

/// Un dossier où un livre se refait, à l'écart de ce qui est là. Il disparaît avec lui.
struct Workshop {
    folder: PathBuf,
    ledger: PathBuf,
}

impl Workshop {
    /// Celui d'une fois d'avant, coupée, est vidé.
    fn beside(place: &Path) -> Result<Workshop, RestoreError> {
        let folder = backup::beside(place, "rebuilding");
        let cannot = |error: io::Error| RestoreError::Failed(format!("{}: {error}", folder.display()));
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(error)),
            _ => fs::create_dir_all(&folder).map_err(cannot)?,
        }
        let ledger = folder.join(place.file_name().unwrap_or_default());
        Ok(Workshop { folder, ledger })
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // Le livre l'a quitté, ou n'a pas été fait.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_live(config: &Config) -> Result<(), RestoreError> {
    if config.mode == Mode::Live {
        return Ok(());
    }
    let only = "only a ledger of real money is compared with the exchange: set TRADING_MODE=live";
    Err(RestoreError::Failed(only.to_owned()))
}

fn open(config: &Config) -> Result<(Ledger, ledger::LedgerThread), RestoreError> {
    is_live(config)?;
    let now = clock::now();
    Ok(ledger::open(&config.db_path, config.mode.word(), config.initial_budget, now)?)
}

fn unsaid(trouble: Trouble) -> RestoreError {
    RestoreError::Exchange(trouble.to_string())
}

impl<'a> Desk<'a> {
    fn new(account: &'a Account) -> Desk<'a> {
        Desk { questions: Questions::new(account), bnb: None, rate: None }
    }

    /// De même, avec le silence que la bourse demandait, les prix et le cours du moment.
    async fn at(account: &'a Account, silenced: Option<Silenced>) -> Desk<'a> {
        let exchange = account.exchange();
        if let Some(Silenced { status, from, until }) = silenced {
            exchange.keep_silent(Silence { status, from, until });
        }
        let readings = exchange.refresh(Readings::default(), belief::SECOND_READING).await;
        let quote = readings.quotes[Coin::Bnb].as_ref();
        let bnb = quote.map(|quote| quote.value.mid());
        Desk { bnb, rate: readings.rate(clock::now()), ..Desk::new(account) }
    }

    /// Rien si la clé ouvre le compte de ces livres, ou s'ils n'en ont pas encore.
    async fn is_of(&mut self, uid: Option<i64>) -> Result<(), RestoreError> {
        let state = self.questions.state().await.map_err(unsaid)?;
        match uid.is_none_or(|uid| uid == state.uid) {
            true => Ok(()),
            false => Err(RestoreError::Failed(format!("{OTHER_ACCOUNT}: {STRANGE}"))),
        }
    }

    fn rate(&self) -> Result<Rate, RestoreError> {
        self.rate.ok_or_else(|| RestoreError::Exchange("the EUR rate is not known now".to_owned()))
    }

    /// Compte l'ouverture d'un livre qui n'en a pas encore : sans elle, rien ne s'y met.
    async fn open_account(&self, ledger: &Ledger) -> Result<(), RestoreError> {
        if ledger.with(|db| db.holdings()).await?.is_some() {
            return Ok(());
        }
        let rate = self.rate()?;
        ledger.with(move |db| db.book_opening(rate, None, clock::now())).await?;
        Ok(())
    }

    /// Les ordres du compte qui portent un nom que `wanted` veut, dans l'ordre où ils ont été passés.
    async fn named(&mut self, wanted: impl Fn(&OrderName) -> bool) -> Result<Vec<Named>, RestoreError> {
        let mut found = Vec::new();
        for coin in Coin::ALL {
            let named =
                |report: &Report| OrderName::parse(&report.client_id).is_some_and(|name| wanted(&name));
            let reports = match self.questions.orders(coin, named).await {
                Ok((reports, _)) => reports,
                // La bourse ne connaît plus cette paire, ni donc d'ordre d'ici.
                Err(Trouble::UnknownSymbol(_)) => continue,
                Err(trouble) => return Err(unsaid(trouble)),
            };
            found.extend(reports.into_iter().filter_map(|report| {
                let name = OrderName::parse(&report.client_id)?;
                Some((report, name))
            }));
        }
        found.sort_by_key(|(report, name)| (report.at, name.intent, report.order_id));
        Ok(found)
    }

    /// Ce qu'un ordre fini a exécuté, d'après la bourse ; `None` si rien.
    async fn fill(&mut self, report: &Report) -> Result<Option<Fill>, Untold> {
        let executions = match report.executed.is_zero() {
            true => Executions::default(),
            false => self
                .questions
                .executions(report.coin, report.order_id)
                .await
                .map_err(|trouble| Untold::Yet(trouble.to_string()))?,
        };
        execution::fill(report, &executions, BnbPrice::or_unknown(self.bnb)).map_err(|reason| {
            let told = format!("order {}: {reason}", report.order_id);
            if let Incomplete::Strange(_) = reason { Untold::Strange(told) } else { Untold::Yet(told) }
        })
    }

    /// Ce qui est à compter comme déposé pour ces ordres, et ce que rien d'ici n'a payé.
    async fn payment(
        &self,
        ledger: &Ledger,
        past: &mut LostPast,
        payer: Payer,
    ) -> Result<(Option<Movement>, Usdc), RestoreError> {
        let booked = ledger.with(|db| db.holdings()).await?.unwrap_or_default();
        let beyond = past.beyond(&booked);
        match payer {
            Payer::Awaited if beyond.is_positive() => Err(RestoreError::Failed(UNPAID.to_owned())),
            Payer::Awaited => {
                // Un second attend avec lui : la page le montrera.
                past.keep_paid(&booked);
                Ok((None, Usdc::ZERO))
            }
            Payer::Deposit if beyond.is_positive() => {
                Ok((Some(lost_past::deposit(beyond, self.rate()?)), Usdc::ZERO))
            }
            Payer::Deposit => Ok((None, Usdc::ZERO)),
            Payer::Settled => Ok((None, beyond)),
        }
    }
}
