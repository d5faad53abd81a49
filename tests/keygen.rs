//! `calvalot keygen`, le vrai programme : la clé privée reste là où elle est écrite, la publique sert chez la
//! bourse, et rien n'est jamais remplacé.

mod follower;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use calvalot::sim::{Script, World};
use follower::{Folder, still_world};
use rust_decimal::dec;

fn calvalot(folder: &Folder, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
    command.args(words).env_clear().current_dir(folder.path()).stdin(Stdio::null());
    command
}

/// Le code de sortie et les deux sorties ; la moitié privée n'est dans aucune.
fn ended(mut command: Command, private: &Path) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let (out, error) = (String::from_utf8(stdout).expect("text"), String::from_utf8(stderr).expect("text"));
    if let Ok(pem) = fs::read_to_string(private) {
        for line in pem.lines().filter(|line| !line.is_empty()) {
            assert!(!out.contains(line) && !error.contains(line), "the private key is shown: {out}{error}");
        }
    }
    (status.code(), out, error)
}

/// La moitié publique, telle qu'on la copierait de l'écran.
fn public_key(out: &str) -> String {
    let (_, rest) = out.split_once("-----BEGIN PUBLIC KEY-----").expect("a public key");
    let (key, _) = rest.split_once("-----END PUBLIC KEY-----").expect("its end");
    format!("-----BEGIN PUBLIC KEY-----{key}-----END PUBLIC KEY-----\n")
}

/// `calvalot check` en live, avec ce fichier pour clé.
fn check(world: &World, folder: &Folder, file: &Path) -> (Option<i32>, String) {
    let mut command = calvalot(folder, &["check"]);
    let script = Script::default();
    command
        .env("TRADING_MODE", "live")
        .env("LEADER_URL", world.leader_url())
        .env("SIGNAL_SECRET", script.secret)
        .env("BINANCE_URL", world.exchange_url())
        .env("BINANCE_API_KEY", script.api_key)
        .env("BINANCE_API_SECRET_FILE", file);
    let (code, out, _) = ended(command, file);
    (code, out)
}

#[test]
fn a_key_made_here_opens_the_account() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let file = folder.path().join("data/binance-key.pem");
    let (code, out, error) = ended(calvalot(&folder, &["keygen"]), &file);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert!(out.contains(&format!("BINANCE_API_SECRET_FILE={}", file.display())), "{out}");
    assert!(out.contains("API Management") && out.contains("never withdrawals"), "{out}");
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);

    let (code, table) = check(&world, &folder, &file);
    assert!(code == Some(1) && table.contains("-1022"), "Binance does not know it yet: {table}");
    world.exchange().register_public_key(&public_key(&out));
    let (code, table) = check(&world, &folder, &file);
    assert_eq!(code, Some(0), "{table}");
    assert!(!table.contains("chmod"), "{table}");

    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("it is ours");
    let (code, table) = check(&world, &folder, &file);
    assert!(code == Some(0) && table.contains("chmod 600"), "{table}");
}

#[test]
fn a_key_is_never_replaced() {
    let folder = Folder::new();
    let file = folder.path().join("mine.pem");
    let name = file.to_str().expect("text");
    assert_eq!(ended(calvalot(&folder, &["keygen", name]), &file).0, Some(0));
    let first = fs::read_to_string(&file).expect("the file");
    let (code, out, error) = ended(calvalot(&folder, &["keygen", name]), &file);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(error.contains("mine.pem exists already") && error.contains("another path"), "{error}");
    assert_eq!(fs::read_to_string(&file).expect("the file"), first);
    assert!(fs::read_dir(folder.path()).expect("the folder").count() == 1, "it left something behind");
}

#[test]
fn a_place_that_cannot_be_written_is_told() {
    let folder = Folder::new();
    let file = folder.path().join("file");
    fs::write(&file, "no folder").expect("a file");
    let below = file.join("key.pem");
    let (code, out, error) = ended(calvalot(&folder, &["keygen", below.to_str().expect("text")]), &below);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(error.contains("cannot write") && error.contains("key.pem"), "{error}");
    let (code, _, error) = ended(calvalot(&folder, &["keygen", "a", "b"]), &below);
    assert!(code == Some(2) && error.contains("--help"), "{error}");
}

#[test]
fn a_file_that_is_no_key_is_told_without_its_contents() {
    let (world, folder) = (still_world(), Folder::new());
    let file = folder.path().join("key.pem");
    let (_, table) = check(&world, &folder, &file);
    assert!(table.contains("cannot be read") && table.contains("calvalot keygen"), "{table}");
    fs::write(&file, "hidden words that are no key").expect("a file");
    let (code, table) = check(&world, &folder, &file);
    assert!(code == Some(1) && table.contains("no Ed25519 private key"), "{table}");
    assert_eq!(world.exchange().calls("/api/v3/account"), 0);
}
