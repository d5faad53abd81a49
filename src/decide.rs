//! `calvalot decide` : ce qui attend une personne, et ce qu'elle en décide, demandé au programme qui tourne sur cette machine.
//!
//! Lui seul tient le grand livre et sait ce qui est possible (`GET /api/ways`) ; rien n'en est répété ici. Invariant : rien
//! n'est demandé avant que la personne n'ait lu ce qui s'ensuivra, et dit oui.

use std::fmt;
use std::time::Duration;

use miniserde::Deserialize;
use miniserde::json::{self, Number, Object, Value};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::local;

/// Une décision interroge parfois la bourse ; le programme répond avant, ou dit qu'il n'a pas pu.
const PATIENCE: Duration = Duration::from_secs(40);

/// Ce que l'on peut décider.
#[derive(Debug, Deserialize)]
pub struct Way {
    name: String,
    pub about: String,
    pub consequence: String,
    method: String,
    path: String,
    body: Object,
    needs: Vec<String>,
    takes: Vec<String>,
}

/// Un champ que la personne donne, `quantity=0.001`.
pub type Field = (String, String);

impl Way {
    /// Ce qu'elle taperait.
    fn usage(&self) -> String {
        let needed = self.needs.iter().map(|field| format!(" {field}=…"));
        let allowed = self.takes.iter().map(|field| format!(" [{field}=…]"));
        format!("calvalot decide {}{}", self.name, needed.chain(allowed).collect::<String>())
    }

    /// Les champs donnés sont ceux qu'il faut.
    ///
    /// # Errors
    /// La phrase qui dit comment le taper.
    pub fn accepts(&self, fields: &[Field]) -> Result<(), String> {
        let given = |name: &String| fields.iter().filter(|(field, _)| field == name).count();
        let known = fields.iter().all(|(field, _)| self.needs.contains(field) || self.takes.contains(field));
        let once = self.takes.iter().all(|name| given(name) <= 1);
        if known && once && self.needs.iter().all(|name| given(name) == 1) {
            return Ok(());
        }
        Err(format!("say it like this: {}", self.usage()))
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Way { about, consequence, .. } = self;
        write!(f, "{}\n    now: {about}\n    then: {consequence}", self.usage())
    }
}

/// Ce qui peut être décidé maintenant, auprès du programme sur ce port.
///
/// # Errors
/// La phrase qui dit pourquoi cela n'a pu être lu, et quoi faire.
pub fn ways(port: u16) -> Result<Vec<Way>, String> {
    local::expect_calvalot(port).map_err(|reason| format!("{reason}: start calvalot, then ask again"))?;
    let answer = local::get(port, "/api/ways")?;
    match answer.status {
        200 => json::from_str(&answer.body)
            .map_err(|_| "this is another version of calvalot than the one that runs".to_owned()),
        _ => Err(answer.refusal()),
    }
}

/// Celle de ce nom.
///
/// # Errors
/// La phrase qui dit celles qu'il y a.
pub fn named<'a>(ways: &'a [Way], name: &str) -> Result<&'a Way, String> {
    ways.iter().find(|way| way.name == name).ok_or_else(|| {
        let names: Vec<&str> = ways.iter().map(|way| way.name.as_str()).collect();
        let open = ways.iter().find(|way| name.starts_with("withdraw") && way.name.starts_with("cancel-"));
        let why = open.map(|way| format!(" ({})", way.about)).unwrap_or_default();
        format!("there is no {name:?} to decide now{why}; there is: {}", names.join(", "))
    })
}

/// La demande au programme ; rend ce qu'il en dit.
///
/// # Errors
/// La phrase qui dit pourquoi ce n'est pas fait.
pub fn decide(port: u16, way: &Way, fields: &[Field]) -> Result<String, String> {
    let mut body = way.body.clone();
    for (field, text) in fields {
        body.insert(field.clone(), value(field, text)?);
    }
    let lost = |reason| format!("{reason}: look with `calvalot decide` before you ask again");
    let answer =
        local::send(port, &way.method, &way.path, &json::to_string(&body), PATIENCE).map_err(lost)?;
    match answer.status {
        200 => Ok(came_of(&answer.body).unwrap_or_else(|| way.consequence.clone())),
        _ => Err(answer.refusal()),
    }
}

/// Ce qu'il en est advenu, là où la réponse le dit.
fn came_of(body: &str) -> Option<String> {
    let answer: Object = json::from_str(body).ok()?;
    let told = |field: &str| said(answer.get(field)?);
    if let Some(outcome) = told("outcome") {
        return Some(outcome);
    }
    if let Some(Value::Object(withdrawal)) = answer.get("withdrawal") {
        return Some(format!(
            "withdrawal {} is {}",
            said(withdrawal.get("id")?)?,
            word(withdrawal, "status")?
        ));
    }
    if let Some(id) = told("id") {
        let waits = told("waiting_for").map(|reason| format!(", and waits: {reason}"));
        let (status, usdc) = (word(&answer, "status")?, cents(answer.get("amount_usdc")?)?);
        return Some(format!("withdrawal {id} is {status}, {usdc} USDC in all{}", waits.unwrap_or_default()));
    }
    if let Some(status) = told("status") {
        return Some(format!("it is {status}"));
    }
    if let Some(Value::Object(selling)) = answer.get("selling_all") {
        return sold(selling);
    }
    if let Some(Value::Object(stop)) = answer.get("stop_loss") {
        let limit = stop.get("pct").and_then(said);
        return Some(
            limit.map_or("there is no stop loss".to_owned(), |pct| format!("the stop loss is {pct} %")),
        );
    }
    if let Some(Value::Bool(follow)) = answer.get("follow") {
        let told =
            if *follow { "the allocation is taken over" } else { "it waits for the leader's next one" };
        return Some(told.to_owned());
    }
    let moved = |asset: &str| match asset {
        "USDC" => cents(answer.get("quantity")?),
        _ => told("quantity"),
    };
    let booked = told("asset").and_then(|asset| Some(format!("{} {asset} booked; ", moved(&asset)?)));
    let deposited = cents(answer.get("total_deposited_eur")?)?;
    Some(format!("{}deposits add up to {deposited} EUR now", booked.unwrap_or_default()))
}

/// Où en est une vente de tout.
fn sold(selling: &Object) -> Option<String> {
    let Some(Value::Array(left)) = selling.get("left") else { return None };
    if matches!(selling.get("done"), Some(Value::Bool(true))) {
        return Some("everything that the exchange sells is sold, and it is paused".to_owned());
    }
    let waits = selling.get("waiting_for").and_then(said).map(|reason| format!(": {reason}"));
    Some(format!("paused, {} to sell{}", positions(left.len()), waits.unwrap_or_default()))
}

fn positions(count: usize) -> String {
    format!("{count} position{}", if count == 1 { "" } else { "s" })
}

/// Un mot de l'API, tel qu'on le dit.
fn word(answer: &Object, field: &str) -> Option<String> {
    Some(said(answer.get(field)?)?.replace('_', " "))
}

/// Un texte ou un nombre.
fn said(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(Number::F64(number)) => Some(number.to_string()),
        Value::Number(Number::U64(number)) => Some(number.to_string()),
        Value::Number(Number::I64(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// Un montant, en centimes, comme la page le montre.
fn cents(value: &Value) -> Option<String> {
    let amount: Decimal = said(value)?.parse().ok()?;
    let cents = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    Some(format!("{cents:.2}"))
}

/// Ce champ, tel que l'API le prend : des euros sont un nombre, le reste un texte.
fn value(field: &str, text: &str) -> Result<Value, String> {
    let text = pointed(text.trim())?;
    if !field.ends_with("_eur") {
        return Ok(Value::String(text));
    }
    let number = text.parse().map_err(|_| format!("{field}: {text:?} is no amount: write it like 12.50"))?;
    Ok(Value::Number(Number::F64(number)))
}

/// Un nombre à virgule, à point ; tout autre texte tel quel. « 1,234 » peut vouloir dire deux choses, et rien n'est deviné.
fn pointed(text: &str) -> Result<String, String> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let whole = |part: &str| digits(part.strip_prefix('-').unwrap_or(part));
    match text.split_once(',') {
        Some((units, decimals)) if whole(units) && digits(decimals.trim_end_matches(['%', ' '])) => {
            if digits(decimals) && decimals.len() == 3 && !units.trim_start_matches('-').starts_with('0') {
                return Err(format!(
                    "{text:?} can be read in two ways: write {units}.{decimals} or {units}{decimals}"
                ));
            }
            Ok(format!("{units}.{decimals}"))
        }
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Way {
        let text = r#"{"name":"book-3","about":"a","consequence":"c","method":"POST","path":"/p","body":{},
            "needs":["quantity","usdc"],"takes":["fee"]}"#;
        json::from_str(text).expect("a way")
    }

    #[test]
    fn what_must_be_given_is_asked_for_and_nothing_else_is_taken() {
        let fields = |names: &[&str]| {
            names.iter().map(|name| (name.to_string(), "1".to_owned())).collect::<Vec<Field>>()
        };
        for good in [&["quantity", "usdc"][..], &["usdc", "fee", "quantity"]] {
            assert_eq!(book().accepts(&fields(good)), Ok(()), "{good:?}");
        }
        for bad in [
            &["quantity"][..],
            &["quantity", "usdc", "usdc"],
            &["quantity", "usdc", "price"],
            &["quantity", "usdc", "fee", "fee"],
        ] {
            let told = book().accepts(&fields(bad)).expect_err("it is refused");
            assert_eq!(told, "say it like this: calvalot decide book-3 quantity=… usdc=… [fee=…]", "{bad:?}");
        }
    }

    #[test]
    fn what_came_of_it_is_said_where_the_answer_tells_it_and_nowhere_else() {
        for (body, told) in [
            (r#"{"ok":true,"outcome":"2 orders adopted"}"#, "2 orders adopted"),
            (r#"{"ok":true,"total_deposited_eur":150.5}"#, "deposits add up to 150.50 EUR now"),
            (
                r#"{"ok":true,"asset":"XRP","quantity":-0.1,"amount_usdt":-0.05,"amount_eur":-0.04,"total_deposited_eur":99}"#,
                "-0.1 XRP booked; deposits add up to 99.00 EUR now",
            ),
            // Comme la page : le double de 1,005 est un rien au-dessous.
            (r#"{"ok":true,"total_deposited_eur":1.005}"#, "deposits add up to 1.01 EUR now"),
            (r#"{"ok":true,"total_deposited_eur":390.0055}"#, "deposits add up to 390.01 EUR now"),
            (r#"{"status":"paused"}"#, "it is paused"),
            (
                r#"{"ok":true,"asset":"USDC","quantity":276.32069862,"total_deposited_eur":259.95919881}"#,
                "276.32 USDC booked; deposits add up to 259.96 EUR now",
            ),
            (
                r#"{"ok":true,"id":7,"status":"selling","amount_eur":50,"amount_usdc":188.45019653186893,"waiting_for":null}"#,
                "withdrawal 7 is selling, 188.45 USDC in all",
            ),
            (r#"{"ok":true,"withdrawal":{"id":7,"status":"set_aside"}}"#, "withdrawal 7 is set aside"),
            (r#"{"ok":true,"stop_loss":{"pct":20.0}}"#, "the stop loss is 20 %"),
            (r#"{"ok":true,"stop_loss":{"pct":null}}"#, "there is no stop loss"),
            (r#"{"ok":true,"follow":false}"#, "it waits for the leader's next one"),
            (
                r#"{"ok":true,"selling_all":{"done":false,"waiting_for":"a price","left":[{"coin":"BTCUSDC"}]}}"#,
                "paused, 1 position to sell: a price",
            ),
        ] {
            assert_eq!(came_of(body).as_deref(), Some(told), "{body}");
        }
        assert_eq!(came_of(r#"{"ok":true}"#), None);
    }

    #[test]
    fn a_decimal_comma_is_a_point_and_what_could_be_thousands_is_not_guessed() {
        for (field, text, taken) in [
            ("amount_eur", "12,50", "12.5"),
            ("amount_eur", "12.50", "12.5"),
            ("total_eur", "-3,2", "-3.2"),
            ("quantity", "0,00036", "\"0.00036\""),
            ("quantity", "0,123", "\"0.123\""),
            ("usdc", "1234,5", "\"1234.5\""),
            ("pct", "20,5", "\"20.5\""),
            ("pct", "20,5 %", "\"20.5 %\""),
            ("fee_asset", "BNB", "\"BNB\""),
            ("fee_asset", "A,B", "\"A,B\""),
        ] {
            assert_eq!(
                value(field, text).map(|value| json::to_string(&value)),
                Ok(taken.to_owned()),
                "{text}"
            );
        }
        let told = value("usdc", "1,234").expect_err("it is refused");
        assert_eq!(told, "\"1,234\" can be read in two ways: write 1.234 or 1234");
        let told = value("amount_eur", "all of it").expect_err("it is refused");
        assert!(told.contains("write it like 12.50"), "{told}");
    }

    #[test]
    fn a_name_that_is_not_there_is_answered_with_those_that_are() {
        let told = named(&[book()], "release-3").expect_err("there is none");
        assert!(told.contains("there is: book-3"), "{told}");
        let open = || Way {
            name: "cancel-7".to_owned(),
            about: "withdrawal 7: it still sells".to_owned(),
            ..book()
        };
        let told = named(&[open()], "withdraw").expect_err("one is open");
        assert!(told.contains("to decide now (withdrawal 7: it still sells)"), "{told}");
        let told = named(&[open()], "deposit").expect_err("it is no withdrawal");
        assert!(!told.contains("it still sells"), "{told}");
    }
}
