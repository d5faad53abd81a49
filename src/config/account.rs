//! L'accès au compte : où le demander, avec quelle clé, et si elle est complète.
//!
//! Une simulation s'en passe : une clé à moitié réglée n'empêche donc pas de lire la configuration, seulement
//! de s'en servir ([`AccountAccess::key`]). Invariant : ni la clé ni le secret ne sont jamais écrits.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::parse::{self, Values};
use super::{Fault, Secret};

const LIVE: &str = "https://api.binance.com";
/// Les cours publics, sans clé.
const PUBLIC_MARKET_DATA: &str = "https://data-api.binance.vision";
const TESTNET: &str = "https://testnet.binance.vision";

/// Ce qui mène au compte de l'utilisateur à la bourse.
#[derive(Clone, Debug)]
pub struct AccountAccess {
    /// Sans `/` final.
    pub url: String,
    /// C'est le réseau d'essai : il ne connaît que `/api`.
    pub testnet: bool,
    pub api_key: Option<Secret>,
    pub api_secret: Option<Secret>,
    /// La clé privée Ed25519, en PEM.
    pub api_secret_file: Option<PathBuf>,
    /// Une clé qui a le droit de retirer est acceptée quand même.
    pub allow_withdrawal_key: bool,
}

/// Une clé entière.
#[derive(Clone, Debug)]
pub struct ExchangeKey {
    pub id: Secret,
    pub secret: KeySecret,
}

/// Ce avec quoi elle signe.
#[derive(Clone, Debug)]
pub enum KeySecret {
    /// Un secret que la bourse a donné.
    Hmac(Secret),
    /// Le contenu d'un fichier PEM.
    Pem { text: Secret, file: PathBuf, readable_by_others: bool },
}

impl AccountAccess {
    /// Le compte à `url`, sans clé.
    pub fn at(url: String) -> AccountAccess {
        AccountAccess {
            url,
            testnet: false,
            api_key: None,
            api_secret: None,
            api_secret_file: None,
            allow_withdrawal_key: false,
        }
    }

    /// Où lire les cours (l'hôte public, qui ne demande pas de clé, si rien d'autre n'est réglé), et l'accès au
    /// compte. Les défauts sont retenus par `values`.
    pub(super) fn read(values: &mut Values) -> Option<(String, AccountAccess)> {
        let testnet = values.read("BINANCE_TESTNET", parse::boolean);
        let own_url = values.read_or("BINANCE_URL", parse::optional_url, None);
        let api_key = values.read_or("BINANCE_API_KEY", parse::optional_secret, None);
        let api_secret = values.read_or("BINANCE_API_SECRET", parse::optional_secret, None);
        let api_secret_file = values.read_or("BINANCE_API_SECRET_FILE", parse::optional_path, None);
        let allow_withdrawal_key = values.read("ALLOW_WITHDRAWAL_KEY", parse::boolean);
        let testnet = testnet?;
        let own_url = own_url?.or_else(|| testnet.then(|| TESTNET.to_owned()));
        let market_url = own_url.clone().unwrap_or_else(|| PUBLIC_MARKET_DATA.to_owned());
        let access = AccountAccess {
            url: own_url.unwrap_or_else(|| LIVE.to_owned()),
            testnet,
            api_key: api_key?,
            api_secret: api_secret?,
            api_secret_file: api_secret_file?,
            allow_withdrawal_key: allow_withdrawal_key?,
        };
        Some((market_url, access))
    }

    /// La clé, son fichier lu ; `None` si rien n'en est réglé, un défaut si elle ne l'est qu'à moitié ou ne peut
    /// en être une.
    pub fn key(&self) -> Result<Option<ExchangeKey>, Fault> {
        let (id, secret) = match (&self.api_key, &self.api_secret, &self.api_secret_file) {
            (None, None, None) => return Ok(None),
            (_, Some(_), Some(_)) => {
                let remedy = "keep the one that belongs to BINANCE_API_KEY, remove the other";
                return fault("BINANCE_API_SECRET_FILE", "set, and BINANCE_API_SECRET too", remedy);
            }
            (None, _, _) => {
                let remedy = "set the key that Binance shows beside it";
                return fault("BINANCE_API_KEY", "not set, but its secret is", remedy);
            }
            (Some(_), None, None) => {
                let remedy =
                    "set the secret of that key too, or BINANCE_API_SECRET_FILE for a key of your own";
                return fault("BINANCE_API_SECRET", "not set, but BINANCE_API_KEY is", remedy);
            }
            (Some(id), Some(secret), None) => (id, KeySecret::Hmac(secret.clone())),
            (Some(id), None, Some(file)) => (id, pem(file)?),
        };
        // Une clé est un en-tête HTTP : autre chose n'y entrerait pas.
        if !id.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            let wrong = "contains spaces or other characters that no key has";
            return fault("BINANCE_API_KEY", wrong, "copy it again from Binance, without anything around it");
        }
        Ok(Some(ExchangeKey { id: id.clone(), secret }))
    }
}

fn pem(file: &Path) -> Result<KeySecret, Fault> {
    let read = fs::read_to_string(file).and_then(|text| Ok((text, fs::metadata(file)?)));
    match read {
        Ok((text, about)) => Ok(KeySecret::Pem {
            text: Secret::new(text),
            file: file.to_owned(),
            readable_by_others: about.permissions().mode() & 0o077 != 0,
        }),
        Err(error) => fault(
            "BINANCE_API_SECRET_FILE",
            &format!("{} cannot be read: {error}", file.display()),
            "write the path of the file that `calvalot keygen` made, and let the user that runs calvalot read it",
        ),
    }
}

fn fault<T>(variable: &str, wrong: &str, remedy: &str) -> Result<T, Fault> {
    Err(Fault { variable: variable.to_owned(), wrong: wrong.to_owned(), remedy: remedy.to_owned() })
}
