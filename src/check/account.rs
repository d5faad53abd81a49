//! La clé et le compte : acceptée, ce qu'elle permet, ce que le compte permet, ce qu'il y a dessus.
//!
//! Une simulation s'en passe : sans clé, en `dry_run`, chaque ligne le dit et rien n'est demandé.

use rust_decimal::{Decimal, dec};

use super::Findings;
use super::machine::Capital;
use crate::config::{AccountAccess, Config, ExchangeKey, Fault, KeySecret, Mode};
use crate::domain::check::Check;
use crate::domain::money::{Rate, Usdc};
use crate::domain::reconcile::Balance;
use crate::domain::survival;
use crate::exchange::{
    Account, AccountState, Credentials, Exchange, KeyRights, NotAPrivateKey, OTHER_ACCOUNT, Trouble,
};

const TESTS: [&str; 6] = ["key", "key rights", "key IPs", "account", "account pairs", "balance"];

/// Une ligne par essai de la clé et du compte.
pub(super) async fn lines(config: &Config, exchange: &Exchange, findings: &Findings) -> Vec<Check> {
    let key = match (config.account.key(), config.mode) {
        (Ok(Some(key)), _) => key,
        (Ok(None), Mode::DryRun) => {
            return TESTS.map(|test| Check::not_tested(test, "not needed for dry_run")).to_vec();
        }
        (Ok(None), Mode::Live) => {
            let remedy = "make a key in Binance's API Management and set BINANCE_API_KEY and BINANCE_API_SECRET, or let `calvalot \
                          keygen` make one";
            return without_key(Check::fault("key", "no key is set, and live needs one", remedy));
        }
        (Err(fault), _) => return without_key(misconfigured(fault)),
    };
    let credentials = match credentials(&key) {
        Ok(credentials) => credentials,
        Err(fault) => return without_key(misconfigured(fault)),
    };
    if exchange.server_clock().is_none() {
        // L'heure, elle, dit si c'est faute de réponse.
        let untried = |test| Check::not_tested(test, "the exchange's clock is not known").unanswered();
        return TESTS.map(untried).to_vec();
    }
    let account = Account::new(exchange.at(&config.account.url), credentials);
    match account.state().await {
        Ok(state) => {
            let mut lines = vec![accepted(&key)];
            lines.extend(examined(config, &account, &state, findings).await);
            lines
        }
        Err(trouble) => refused(exchange, &trouble),
    }
}

/// Une clé que la bourse n'a pas jugée n'est pas dite mauvaise.
fn refused(exchange: &Exchange, trouble: &Trouble) -> Vec<Check> {
    match trouble {
        Trouble::Key(..) => without_key(fault("key", exchange, trouble)),
        Trouble::Failed(_) | Trouble::Certificate(_) | Trouble::Silence(_) => {
            let untried = Check::not_tested("key", trouble.to_string());
            let untried = Check { advice: Some(exchange.remedy(trouble).to_owned()), ..untried };
            let lines = untested(untried, "the exchange does not answer");
            match trouble.is_no_answer() {
                true => lines.into_iter().map(Check::unanswered).collect(),
                false => lines,
            }
        }
        _ => untested(fault("key", exchange, trouble), "the key could not be tried"),
    }
}

/// Le compte que la clé réglée ouvre ; `None` si aucune ne l'est.
pub fn open(access: &AccountAccess, exchange: &Exchange) -> Result<Option<Account>, Fault> {
    let Some(key) = access.key()? else { return Ok(None) };
    Ok(Some(Account::new(exchange.at(&access.url), credentials(&key)?)))
}

/// De quoi signer avec cette clé, ou pourquoi elle n'en est pas une.
fn credentials(key: &ExchangeKey) -> Result<Credentials, Fault> {
    match &key.secret {
        KeySecret::Hmac(secret) => Ok(Credentials::hmac(key.id.expose(), secret.expose())),
        KeySecret::Pem { text, file, .. } => {
            Credentials::ed25519(key.id.expose(), text.expose()).map_err(|NotAPrivateKey| Fault {
                variable: "BINANCE_API_SECRET_FILE".to_owned(),
                wrong: format!("{} is no Ed25519 private key in PEM form without a password", file.display()),
                remedy: "make one with `calvalot keygen` and give Binance its public half".to_owned(),
            })
        }
    }
}

fn misconfigured(fault: Fault) -> Check {
    Check::fault("key", format!("{}: {}", fault.variable, fault.wrong), fault.remedy)
}

fn accepted(key: &ExchangeKey) -> Check {
    let found = "the exchange accepts it and its signature";
    match &key.secret {
        KeySecret::Pem { file, readable_by_others: true, .. } => {
            let advice =
                format!("others on this machine can read the private key: chmod 600 {}", file.display());
            Check::remark("key", found, advice)
        }
        _ => Check::fine("key", found),
    }
}

fn without_key(line: Check) -> Vec<Check> {
    untested(line, "needs a key the exchange accepts")
}

fn untested(line: Check, reason: &str) -> Vec<Check> {
    let rest = TESTS[1..].iter().map(|test| Check::not_tested(test, reason));
    [line].into_iter().chain(rest).collect()
}

fn fault(test: &'static str, exchange: &Exchange, trouble: &Trouble) -> Check {
    let line = Check::fault(test, trouble.to_string(), exchange.remedy(trouble));
    Check { unanswered: trouble.is_no_answer(), ..line }
}

async fn examined(
    config: &Config,
    account: &Account,
    state: &AccountState,
    findings: &Findings,
) -> Vec<Check> {
    let mut lines = Vec::new();
    if config.account.testnet {
        let reason = "the test network does not tell";
        lines.extend(["key rights", "key IPs"].map(|test| Check::not_tested(test, reason)));
    } else {
        match account.key_rights().await {
            Ok(rights) => lines.extend([key_rights(config, &rights), key_addresses(&rights)]),
            Err(trouble) => {
                lines.extend([
                    fault("key rights", &account.exchange(), &trouble),
                    Check::not_tested("key IPs", "the rights of the key are not known"),
                ]);
            }
        }
    }
    lines.push(may_trade(state, findings.uid));
    lines.push(pairs(&account.exchange(), state).await);
    lines.push(balance(config, state, findings));
    lines
}

fn key_rights(config: &Config, rights: &KeyRights) -> Check {
    let allowed = config.account.allow_withdrawal_key;
    let (mut wrong, mut remedies) = (Vec::new(), Vec::new());
    if !rights.reading {
        wrong.push("it may not read");
        remedies.push("tick Enable Reading");
    }
    if !rights.spot_trading {
        wrong.push("it may not trade");
        remedies.push("tick Enable Spot & Margin Trading");
    }
    if rights.withdrawals && !allowed {
        wrong.push("it may withdraw: whoever steals this file or this machine takes the money");
        remedies.push("untick Enable Withdrawals (calvalot never withdraws), or make a new key without it");
    }
    if !wrong.is_empty() {
        let remedy = format!("in Binance's API Management, for this key: {}", remedies.join("; "));
        return Check::fault("key rights", wrong.join("; "), remedy);
    }
    if rights.withdrawals {
        let advice = "ALLOW_WITHDRAWAL_KEY=true accepts it; calvalot never withdraws, a key without that right is safer";
        return Check::remark("key rights", "it may read, trade and withdraw", advice);
    }
    Check::fine("key rights", "it may read and trade, not withdraw")
}

fn key_addresses(rights: &KeyRights) -> Check {
    if rights.ip_restricted {
        return Check::fine("key IPs", "it only works from the addresses you listed");
    }
    let advice =
        "if your Internet address stays the same, restrict the key to it in Binance's API Management";
    Check::remark("key IPs", "it works from everywhere", advice)
}

/// Le compte peut échanger, et c'est celui du grand livre (`uid`, s'il en a déjà un).
fn may_trade(state: &AccountState, uid: Option<i64>) -> Check {
    if uid.is_some_and(|uid| uid != state.uid) {
        let remedy =
            "set the key of that account again, or another DB_PATH to begin a new ledger with this one";
        return Check::fault("account", OTHER_ACCOUNT, remedy);
    }
    if state.can_trade {
        return Check::fine("account", "it may trade");
    }
    let remedy = "Binance has blocked trading on this account: log in there, it says why (identity, country, security \
                  hold); since July 2026 it may be closed to residents of the European Union";
    Check::fault("account", "it may not trade", remedy)
}

async fn pairs(exchange: &Exchange, state: &AccountState) -> Check {
    let sets = match exchange.permission_sets().await {
        Ok(sets) => sets,
        Err(trouble) => return fault("account pairs", exchange, &trouble),
    };
    let untold: Vec<&str> =
        sets.iter().filter(|(_, sets)| sets.is_none()).map(|(coin, _)| coin.pair()).collect();
    let barred =
        sets.iter().filter(|(_, sets)| sets.as_ref().is_some_and(|sets| !sets.admit(&state.permissions)));
    let barred: Vec<&str> = barred.map(|(coin, _)| coin.pair()).collect();
    if !barred.is_empty() {
        let found = format!("this account may not trade {}", barred.join(", "));
        let remedy = "Binance does not open these pairs to this account (often because of its country): ask its support; \
                      orders of these are refused, the other pairs are followed";
        Check::fault("account pairs", found, remedy)
    } else if !untold.is_empty() {
        let found = format!("the exchange does not say who may trade {}", untold.join(", "));
        Check::fault("account pairs", found, "try again later; update the program if it stays")
    } else {
        Check::fine("account pairs", "this account may trade each of them")
    }
}

/// Les USDC libres ; en `live` ils doivent couvrir le cash du grand livre, ou le premier capital.
fn balance(config: &Config, state: &AccountState, findings: &Findings) -> Check {
    let Balance { free, locked } = state.balances.usdc;
    let found = format!("{:.2} USDC free in the Spot wallet", free.floor(2));
    if config.mode == Mode::DryRun {
        return Check::fine("balance", format!("{found}, not used by dry_run"));
    }
    match (&findings.capital, findings.outside.rate) {
        (Capital::Counted(holdings), _) => compared((free, locked), holdings.cash, found),
        (Capital::ToBegin(budget), Some(rate)) => opening(free, budget.to_usdc(rate), rate, found),
        (Capital::ToBegin(_), None) => {
            Check::not_tested("balance", format!("{found}, the EUR rate to compare with is not known"))
        }
        (Capital::Unknown(reason), _) => Check::not_tested("balance", format!("{found}; {reason}")),
    }
}

/// Ce qu'il faut, aux centimes près : plus que ce qui est là, s'il n'y en a pas assez.
fn needed(free: Usdc, wanted: Usdc) -> Usdc {
    if free < wanted { wanted.ceil(2) } else { wanted.floor(2) }
}

/// Ce qu'un ordre de la personne immobilise n'est pas à apporter.
fn compared((free, locked): (Usdc, Usdc), wanted: Usdc, found: String) -> Check {
    let found = format!("{found}, {:.2} needed", needed(free, wanted));
    if free >= wanted {
        return Check::fine("balance", found);
    }
    if free + locked >= wanted {
        let found = format!("{found}: {:.2} are locked in an order of yours", (wanted - free).ceil(2));
        let remedy = "they are used again once that order is done, or cancelled on the exchange";
        return Check::fault("balance", found, remedy);
    }
    let remedy = "bring USDC into the Spot wallet (buy them, or transfer them from Funding or Earn); if you took or sold \
                  them, write them off on the page";
    Check::fault("balance", found, remedy)
}

/// Ce qui manque d'un rien à un premier capital ne le gêne pas : il s'ouvre dans ce qui est là.
const NEARLY: Decimal = dec!(0.99);

/// Un premier capital, s'ouvrant dans ce qui est là.
fn opening(free: Usdc, wanted: Usdc, rate: Rate, found: String) -> Check {
    let found = format!("{found}, {:.2} needed to begin", needed(free, wanted));
    let there = free.to_eur(rate).floor(2);
    let bring = "bring USDC into the Spot wallet (buy them, or transfer them from Funding or Earn)";
    let less = format!(
        "INITIAL_BUDGET_EUR={there} is what these are worth, and what the first start would begin with"
    );
    if free >= wanted {
        Check::fine("balance", found)
    } else if !survival::is_a_budget(there) {
        let least = survival::LEAST_BUDGET;
        Check::fault("balance", found, format!("{bring}: at least {least} EUR worth of them"))
    } else if free >= wanted.times(NEARLY) {
        Check::remark("balance", found, less)
    } else {
        Check::fault("balance", found, format!("{bring}; {less}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::Verdict;

    #[test]
    fn a_cent_that_is_missing_to_begin_is_no_fault_and_the_figure_is_said() {
        let cases = [
            (dec!(125), Verdict::Fine, None),
            (dec!(124.99), Verdict::Fine, Some("INITIAL_BUDGET_EUR=99.99 ")),
            (dec!(100), Verdict::Fault, Some("INITIAL_BUDGET_EUR=80")),
            (dec!(3.2), Verdict::Fault, Some("at least 10 EUR")),
        ];
        for (free, verdict, advice) in cases {
            let line =
                opening(Usdc::new(free), Usdc::new(dec!(125)), Rate::new(dec!(1.25)), "found".to_owned());
            let told = line.advice.unwrap_or_default();
            assert_eq!(line.verdict, verdict, "{free}");
            assert_eq!(advice.is_some(), !told.is_empty(), "{free}: {told}");
            assert!(told.contains(advice.unwrap_or_default()), "{free}: {told}");
        }
    }
}
