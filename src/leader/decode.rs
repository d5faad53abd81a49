//! Le texte du leader, lu à la main dans les types du métier.
//!
//! Pur : la reprise après une coupure relit par ici les signaux du grand livre. Un signal sans
//! identifiant utilisable n'est pas un signal (`Err`) ; un signal qui a un identifiant et un défaut,
//! où que ce soit, est reçu avec la phrase de son refus : dans le doute on n'achète ni ne vend. Le
//! champ `update` reste lisible dans `payload` et n'a aucun effet : le leader annonce une mise à
//! jour, il n'en cause pas.

use miniserde::json::{self, Array, Number, Object, Value};
use rust_decimal::{Decimal, dec};

use crate::clock;
use crate::domain::market::{Coin, PerCoin};
use crate::domain::moment::Moment;
use crate::domain::money::Weight;
use crate::domain::signal::{ADOPTED, Action, INITIAL_SYNC, Instruction, Signal, Target};
use crate::domain::wish;

/// Plus profond, ce n'est pas un signal, et aucun lecteur de l'API ne devrait le recevoir.
const DEEPEST: usize = 32;

/// La plus récente version que l'on comprend.
const NEWEST: u32 = 2;

const LONGEST_ID: usize = 128;

/// Décimales gardées d'une part : celles que le métier accepte.
const PLACES: usize = 12;

/// Au-delà, un nombre n'est pas en secondes : on serait en l'an 5138.
const MILLISECONDS: f64 = 1e11;

/// Ce dont le calcul en flottants d'un leader dépasse 0 ou 1 sans rien vouloir dire.
const NOISE: f64 = 1e-9;

/// Ce dont les arrondis d'un leader écartent de 1 la somme de ses parts et de son cash.
const ROUNDING: Decimal = dec!(0.05);

/// Un signal tel qu'il est arrivé, et ce qu'il vaut.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    pub id: String,
    /// 1 si elle est absente ou illisible.
    pub version: u32,
    pub confidence: Option<f64>,
    pub reasoning: String,
    /// Le tableau `actions` en JSON ; `[]` s'il n'y en a pas d'utilisable.
    pub actions_json: String,
    /// L'objet `portfolio_state` en JSON.
    pub portfolio_json: Option<String>,
    /// Le texte entier, à relire par [`decode`].
    pub payload: String,
    /// Le signal valable, ou la phrase de son refus.
    pub verdict: Result<Signal, String>,
}

/// Lit le texte d'un signal ; l'erreur dit pourquoi ce n'en est pas un.
pub fn decode(payload: &str) -> Result<Received, String> {
    let document: Value = json::from_str(payload).map_err(|_| "not JSON".to_owned())?;
    let Value::Object(signal) = &document else {
        return Err(format!("expected an object, got {}", got(&document)));
    };
    let id = read_id(signal.get("signal_id"))?;
    let storable = is_shallow(&document);
    let verdict =
        if storable { validate(&id, signal) } else { Err(format!("nested deeper than {DEEPEST} levels")) };
    Ok(Received {
        id,
        version: version(signal).unwrap_or(1),
        confidence: confidence(signal).unwrap_or(None),
        reasoning: reasoning(signal).unwrap_or_default().to_owned(),
        actions_json: match signal.get("actions") {
            Some(actions @ Value::Array(_)) if storable => json::to_string(actions),
            _ => "[]".to_owned(),
        },
        portfolio_json: match signal.get("portfolio_state") {
            Some(state @ Value::Object(_)) if storable => Some(json::to_string(state)),
            _ => None,
        },
        payload: payload.to_owned(),
        verdict,
    })
}

fn read_id(value: Option<&Value>) -> Result<String, String> {
    let id = match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number @ (Number::U64(_) | Number::I64(_)))) => number.to_string(),
        Some(other) => return Err(format!("signal_id: expected a text, got {}", got(other))),
        None => return Err("signal_id: missing".to_owned()),
    };
    if id.trim().is_empty() {
        return Err("signal_id: empty".to_owned());
    }
    if id.chars().count() > LONGEST_ID || id.chars().any(char::is_control) {
        return Err(format!("signal_id: longer than {LONGEST_ID} characters, or with control characters"));
    }
    // Noté au grand livre, même refusé, il passerait pour notre propre synchronisation, pour une adoption ou pour le
    // souhait d'une personne.
    if [INITIAL_SYNC, ADOPTED].contains(&id.as_str()) || wish::is_reserved(&id) {
        return Err(format!("signal_id: {id:?} is reserved to the follower"));
    }
    Ok(id)
}

fn validate(id: &str, signal: &Object) -> Result<Signal, String> {
    let version = version(signal)?;
    if version > NEWEST {
        return Err(format!("version: {version} is newer than this follower understands, update it"));
    }
    confidence(signal)?;
    reasoning(signal)?;
    let actions = match signal.get("actions") {
        None | Some(Value::Null) => PerCoin::default(),
        Some(Value::Array(actions)) => read_actions(actions)?,
        Some(other) => return Err(format!("actions: expected an array, got {}", got(other))),
    };
    let target = match signal.get("portfolio_state") {
        None | Some(Value::Null) => None,
        Some(Value::Object(state)) => {
            Some(read_target(state)?).filter(|_| version > 1 || tells(state, &actions))
        }
        Some(other) => return Err(format!("portfolio_state: expected an object, got {}", got(other))),
    };
    let instruction = match (version, target) {
        (1, _) => Instruction::Actions(actions),
        (_, Some(target)) => Instruction::Target(target),
        (_, None) => return Err("portfolio_state: missing, version 2 needs it".to_owned()),
    };
    // Une date que l'on ne lit pas n'apprend rien ; une fin, si : rien n'est suivi au-delà de ce que l'on sait.
    let said = ["timestamp", "created_at"].map(|field| moment(signal, field).ok().flatten());
    let said_at = said.into_iter().flatten().min();
    let expires_at = moment(signal, "expires_at")?;
    Ok(Signal { id: id.to_owned(), instruction, target, said_at, expires_at })
}

/// Un instant : un texte daté, ou des secondes Unix, ou des millisecondes.
fn moment(signal: &Object, field: &str) -> Result<Option<Moment>, String> {
    let value = match signal.get(field) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let seconds = |number: f64| if number.abs() < MILLISECONDS { number * 1000.0 } else { number };
    let moment = match value {
        Value::String(text) => clock::parse(text.trim()),
        _ => number(value).map(seconds).filter(|ms| ms.is_finite()).map(|ms| Moment(ms as i64)),
    };
    moment.map(Some).ok_or_else(|| format!("{field}: expected a date or Unix seconds, got {}", got(value)))
}

fn version(signal: &Object) -> Result<u32, String> {
    let value = match signal.get("version") {
        None | Some(Value::Null) => return Ok(1),
        Some(value) => value,
    };
    let version = match value {
        Value::Number(Number::U64(version)) => u32::try_from(*version).ok().filter(|version| *version >= 1),
        _ => None,
    };
    version.ok_or_else(|| format!("version: expected a whole number from 1, got {}", got(value)))
}

fn confidence(signal: &Object) -> Result<Option<f64>, String> {
    match signal.get("confidence") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match number(value).filter(|confidence| confidence.is_finite()) {
            Some(confidence) => Ok(Some(confidence)),
            None => Err(format!("confidence: expected a number, got {}", got(value))),
        },
    }
}

fn reasoning(signal: &Object) -> Result<&str, String> {
    match signal.get("reasoning") {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(format!("reasoning: expected a text, got {}", got(other))),
    }
}

fn read_actions(actions: &Array) -> Result<PerCoin<Option<Action>>, String> {
    let mut asked = PerCoin::<Option<Action>>::default();
    for (index, value) in actions.iter().enumerate() {
        let path = format!("actions[{index}]");
        let action = object(&path, value)?;
        let percentage = || weight(&path, action, "pct_of_capital");
        let order = match text(&path, action, "action")? {
            "BUY" => Action::Buy(percentage()?),
            "SELL" => Action::Sell(percentage()?),
            "HOLD" => {
                hold(&path, action)?;
                Action::Hold
            }
            other => return Err(format!("{path}.action: expected BUY, SELL or HOLD, got {}", quoted(other))),
        };
        if order == Action::Hold && names_no_coin(action) {
            continue;
        }
        let coin = coin(&path, action)?;
        asked[coin] = Some(add(asked[coin], order).map_err(|fault| format!("{path}: {fault} {coin}"))?);
    }
    Ok(asked)
}

/// La part d'un HOLD ne sert à rien ; on n'en exige que d'être absente ou une part.
fn hold(path: &str, action: &Object) -> Result<(), String> {
    match action.get("pct_of_capital") {
        None | Some(Value::Null) => Ok(()),
        Some(_) => weight(path, action, "pct_of_capital").map(|_| ()),
    }
}

/// Le leader peut tout garder sans nommer de coin.
fn names_no_coin(action: &Object) -> bool {
    match action.get("coin") {
        None | Some(Value::Null) => true,
        Some(Value::String(coin)) => coin.is_empty(),
        Some(_) => false,
    }
}

/// Deux actions du même sens s'ajoutent ; deux sens pour un coin se contredisent.
fn add(earlier: Option<Action>, later: Action) -> Result<Action, String> {
    let whole = Weight::new(Decimal::ONE);
    match (earlier, later) {
        (None, action) | (Some(Action::Hold), action @ Action::Hold) => Ok(action),
        (Some(Action::Buy(one)), Action::Buy(two)) if one + two <= whole => Ok(Action::Buy(one + two)),
        (Some(Action::Sell(one)), Action::Sell(two)) if one + two <= whole => Ok(Action::Sell(one + two)),
        (Some(Action::Buy(_)), Action::Buy(_)) | (Some(Action::Sell(_)), Action::Sell(_)) => {
            Err("adds up to more than the whole capital for".to_owned())
        }
        _ => Err("contradicts an earlier action for".to_owned()),
    }
}

fn read_target(state: &Object) -> Result<Target, String> {
    // Absent n'est pas vide : vide veut dire tout vendre.
    let positions = match state.get("positions") {
        Some(Value::Array(positions)) => positions,
        Some(other) => {
            return Err(format!("portfolio_state.positions: expected an array, got {}", got(other)));
        }
        None => return Err("portfolio_state.positions: missing".to_owned()),
    };
    let mut weights = PerCoin::<Option<Weight>>::default();
    for (index, value) in positions.iter().enumerate() {
        let path = format!("portfolio_state.positions[{index}]");
        let position = object(&path, value)?;
        let coin = coin(&path, position)?;
        if weights[coin].is_some() {
            return Err(format!("{path}.coin: {coin} is there twice"));
        }
        weights[coin] = Some(weight(&path, position, "pct_of_portfolio")?);
    }
    let weights = PerCoin::from_fn(|coin| weights[coin].unwrap_or(Weight::ZERO));
    add_up(&weights, state)?;
    Target::new(weights).map_err(|fault| format!("portfolio_state: {fault}"))
}

/// Une liste vide sans cash ne dit rien, sauf à côté d'actions qui ne font que tout quitter : le leader a pu perdre son état.
fn tells(state: &Object, actions: &PerCoin<Option<Action>>) -> bool {
    let is_empty = matches!(state.get("positions"), Some(Value::Array(positions)) if positions.is_empty());
    let says_cash = !matches!(state.get("cash_pct"), None | Some(Value::Null));
    let asked: Vec<&Action> = actions.iter().filter_map(|(_, action)| action.as_ref()).collect();
    let leaves =
        |action: &&Action| matches!(action, Action::Sell(part) if *part == Weight::new(Decimal::ONE));
    !is_empty || says_cash || (!asked.is_empty() && asked.iter().all(leaves))
}

/// Le cash que dit le leader, s'il en dit un, complète ses positions : une liste vide sans cash est un leader qui a perdu son
/// état, non l'ordre de tout vendre.
fn add_up(weights: &PerCoin<Weight>, state: &Object) -> Result<(), String> {
    let field = "cash_pct";
    if let None | Some(Value::Null) = state.get(field) {
        return Ok(());
    }
    let cash = weight("portfolio_state", state, field)?;
    let total = weights.iter().map(|(_, weight)| *weight).sum::<Weight>() + cash;
    if (total.decimal() - Decimal::ONE).abs() <= ROUNDING {
        return Ok(());
    }
    Err(format!("portfolio_state: the positions and {field} add up to {} %, not to 100 %", total.percent()))
}

fn object<'a>(path: &str, value: &'a Value) -> Result<&'a Object, String> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(format!("{path}: expected an object, got {}", got(other))),
    }
}

fn text<'a>(path: &str, object: &'a Object, field: &str) -> Result<&'a str, String> {
    match object.get(field) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(format!("{path}.{field}: expected a text, got {}", got(other))),
        None => Err(format!("{path}.{field}: missing")),
    }
}

fn coin(path: &str, object: &Object) -> Result<Coin, String> {
    let pair = text(path, object, "coin")?;
    Coin::from_pair(pair).ok_or_else(|| format!("{path}.coin: unknown coin {}", quoted(pair)))
}

/// Une part entre 0 et 1. Le nombre JSON est un flottant : son texte décimal le plus court est ce que
/// le leader a écrit, et devient le décimal exact.
fn weight(path: &str, object: &Object, field: &str) -> Result<Weight, String> {
    let value = object.get(field).ok_or_else(|| format!("{path}.{field}: missing"))?;
    let fault = || format!("{path}.{field}: expected a number between 0 and 1, got {}", got(value));
    let part = number(value).filter(|part| (-NOISE..=1.0 + NOISE).contains(part)).ok_or_else(fault)?;
    let text = part.clamp(0.0, 1.0).abs().to_string();
    let kept = text.find('.').map_or(text.len(), |point| text.len().min(point + 1 + PLACES));
    Weight::parse(&text[..kept]).map_err(|_| fault())
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(Number::U64(number)) => Some(*number as f64),
        Value::Number(Number::I64(number)) => Some(*number as f64),
        Value::Number(Number::F64(number)) => Some(*number),
        _ => None,
    }
}

/// Ce qui a été trouvé à la place, pour les phrases.
fn got(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(word) => word.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

/// Sans récursion : la profondeur vient du dehors.
fn is_shallow(document: &Value) -> bool {
    let mut open = vec![(document, 1)];
    while let Some((value, depth)) = open.pop() {
        if depth > DEEPEST {
            return false;
        }
        match value {
            Value::Array(array) => open.extend(array.iter().map(|inner| (inner, depth + 1))),
            Value::Object(object) => open.extend(object.values().map(|inner| (inner, depth + 1))),
            _ => {}
        }
    }
    true
}
