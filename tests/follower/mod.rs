//! Un suiveur en marche, face au monde simulé, tel que le dehors le voit : par HTTP.
//!
//! [`Follower`] tourne dans ce processus ; [`Process`] est le vrai programme, que l'on peut tuer. Les
//! tests attendent des conditions ([`until`]), jamais une durée.
#![allow(dead_code)] // chaque fichier de tests n'en prend qu'une partie

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use calvalot::config::Config;
use calvalot::sim::{Pace, Script, World};
use calvalot::{daemon, demo};
use rust_decimal::Decimal;
use serde_json::Value;
use smol::channel::{self, Sender};

/// Au-delà, la condition ne viendra plus : la machine la plus lente a eu dix fois le temps, et des essais du dehors
/// qu'elle aurait fait échouer ont été refaits.
const PATIENCE: Duration = Duration::from_secs(180);

/// Celle d'une machine lente, ou ce qu'en dit `PATIENCE`, en secondes : `.ci/mutants` n'attend pas tant ce qui n'arrivera plus.
fn patience() -> Duration {
    let told = std::env::var("PATIENCE").ok().and_then(|told| told.parse().ok());
    told.map_or(PATIENCE, Duration::from_secs)
}

/// Attend que `condition` rende quelque chose.
pub fn until<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    within(patience(), what, condition)
}

/// De même, quand c'est le suiveur qui est patient.
pub fn within<T>(patience: Duration, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Un monde où rien ne bouge sans le test.
pub fn still_world() -> World {
    World::start(Script { pace: Pace::Frozen, ..Script::default() }).expect("the loopback has free ports")
}

/// Un dossier à ce test, effacé avec lui.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let rank = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("calvalot-test-{}-{rank}", std::process::id()));
        // Un essai tué a pu laisser le sien sous ce même numéro.
        std::fs::remove_dir_all(&path).ok();
        std::fs::create_dir(&path).expect("the temporary folder is writable");
        Folder(path)
    }

    pub fn db(&self) -> PathBuf {
        self.0.join("calvalot.db")
    }

    pub fn path(&self) -> &PathBuf {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// La configuration d'un suiveur de `world`, avec 1000 EUR et un tour toutes les 20 ms.
pub fn config(world: &World, folder: &Folder) -> Config {
    Config {
        poll_interval: Duration::from_millis(20),
        version: "test".to_owned(),
        ..demo::follower(world, folder.db())
    }
}

/// Ce qu'il faut au vrai programme pour suivre `world`, sans clé.
pub fn environment(world: &World, folder: &Folder) -> [(&'static str, String); 5] {
    [
        ("LEADER_URL", world.leader_url()),
        ("SIGNAL_SECRET", Script::default().secret),
        ("BINANCE_URL", world.exchange_url()),
        ("DB_PATH", folder.db().display().to_string()),
        // Le leader des essais change d'avis bien plus souvent qu'un vrai.
        ("MAX_TURNOVER_PCT_PER_DAY", "100000".to_owned()),
    ]
}

/// De quoi ouvrir le compte simulé.
pub fn key() -> [(&'static str, String); 2] {
    let Script { api_key, api_secret, .. } = Script::default();
    [("BINANCE_API_KEY", api_key), ("BINANCE_API_SECRET", api_secret)]
}

/// Un suiveur qui tourne dans ce processus. Le lâcher l'arrête proprement.
pub struct Follower {
    address: SocketAddr,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    pub fn start(config: Config) -> Follower {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (stop, stopped) = channel::bounded::<()>(1);
        let thread = thread::spawn(move || {
            let wait = async move {
                // La poignée lâchée vaut ordre d'arrêt.
                stopped.recv().await.ok();
            };
            daemon::run(config, listener, wait).expect("the follower starts");
        });
        Follower { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Un suiveur de `world` avec la configuration ordinaire des tests.
    pub fn of(world: &World, folder: &Folder) -> Follower {
        Follower::start(config(world, folder))
    }

    pub fn site(&self) -> Site {
        Site(self.address)
    }

    /// Arrête et attend la fin.
    pub fn stop(mut self) {
        self.end();
    }

    /// Arrête un suiveur dont le grand livre est perdu : il ne finit pas bien.
    pub fn stop_lost(mut self) {
        self.stop.take();
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(matches!(ended, Some(Err(_))), "it ends as if nothing were lost");
    }

    fn end(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !thread::panicking()
        {
            panic!("the follower panicked");
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.end();
    }
}

/// Le vrai programme, dans son processus.
pub struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// `calvalot run` face à `world`, sur un port libre, un tour par seconde.
    pub fn run(world: &World, folder: &Folder) -> Process {
        Process::with(world, folder, Vec::new())
    }

    /// Le même, qui négocie pour de vrai avec la clé du compte simulé.
    pub fn live(world: &World, folder: &Folder) -> Process {
        let mode = ("TRADING_MODE", "live".to_owned());
        Process::with(world, folder, [mode].into_iter().chain(key()).collect())
    }

    /// Le même, avec ces variables en plus.
    pub fn with(world: &World, folder: &Folder, more: Vec<(&str, String)>) -> Process {
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
        command
            .env_clear()
            .envs(environment(world, folder))
            .env("INITIAL_BUDGET_EUR", "1000")
            .env("POLL_INTERVAL_SECONDS", "1")
            .env("PORT", port.to_string())
            .envs(more)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        drain(&mut child);
        Process { child, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    pub fn site(&self) -> Site {
        Site(self.address)
    }

    /// Son numéro, pour le système.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, et attend qu'il soit mort.
    pub fn kill(mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("a killed process ends");
    }

    /// SIGTERM ; rend le code de sortie.
    pub fn terminate(self) -> Option<i32> {
        self.end_by("TERM")
    }

    /// Envoie ce signal, attend la fin ; rend le code de sortie.
    pub fn end_by(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(killed.expect("kill exists").success());
        until("the process ends", || self.child.try_wait().expect("it is our child")).code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Lit le journal du programme pour que son tuyau ne se remplisse pas.
fn drain(child: &mut Child) {
    let stderr = child.stderr.take().expect("stderr is piped");
    thread::spawn(move || for _line in BufReader::new(stderr).lines().map_while(Result::ok) {});
}

/// Un port que personne n'écoute, et que personne ne prendra avant le programme : hors de ceux que le système donne de
/// lui-même (à partir de 32768), et jamais deux fois le même ici.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let turn = std::process::id() * 97 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + (turn % 20_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// L'adresse d'un suiveur, et ce qu'un client y fait.
#[derive(Clone, Copy)]
pub struct Site(SocketAddr);

/// Une réponse HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }
}

impl Site {
    /// Ce qui répond à cette adresse de la boucle locale.
    pub fn at(port: u16) -> Site {
        Site(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    pub fn address(&self) -> SocketAddr {
        self.0
    }

    /// Une connexion qui vient d'envoyer ces octets ; `None` si personne n'écoute.
    pub fn asking(&self, request: &[u8]) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(self.0).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.write_all(request).ok()?;
        Some(stream)
    }

    /// Ce qui est répondu à une requête entière, telle quelle ; `None` si personne ne répond.
    pub fn bytes(&self, request: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.asking(request)?.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// La même réponse, en texte.
    pub fn raw(&self, request: &[u8]) -> Option<Answer> {
        let text = String::from_utf8(self.bytes(request)?).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
    }

    pub fn try_get(&self, path: &str) -> Option<Answer> {
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.0).as_bytes())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|| panic!("no answer to GET {path}"))
    }

    pub fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.0,
            body.len()
        );
        self.raw(request.as_bytes()).unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    pub fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.json()
    }

    /// Le signal `id`, s'il est connu.
    pub fn signal(&self, id: &str) -> Option<Value> {
        let signals = serde_json::from_str::<Value>(&self.try_get("/api/signals?limit=100")?.body).ok()?;
        signals.as_array()?.iter().find(|signal| signal["signal_id"] == id).cloned()
    }

    /// Attend que le signal `id` soit clos ; le rend.
    pub fn closed_signal(&self, id: &str) -> Value {
        until(&format!("signal {id} is closed"), || {
            self.signal(id).filter(|signal| signal["status"] != "received")
        })
    }

    /// Le nombre de tours finis, quelle que soit leur issue.
    pub fn polls(&self) -> f64 {
        let page = self.try_get("/metrics").map(|answer| answer.body).unwrap_or_default();
        samples(&page, "calvalot_polls_total").iter().map(|(_, value)| value).sum()
    }

    /// Attend que `count` tours commencés après cet appel soient finis : un de plus, celui en cours ne sait rien de ce qui précède.
    pub fn wait_polls(&self, count: u32) {
        let before = until("the metrics are there", || self.try_get("/metrics").map(|_| self.polls()));
        until("the follower polls", || (self.polls() > before + f64::from(count)).then_some(()));
    }
}

/// Les échantillons d'une métrique : étiquettes et valeur.
pub fn samples(page: &str, name: &str) -> Vec<(String, f64)> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (found, labels) = series.split_once('{').unwrap_or((series, ""));
            (found == name).then_some(())?;
            Some((labels.trim_end_matches('}').to_owned(), value.parse().ok()?))
        })
        .collect()
}

/// Un nombre de l'API comme décimal.
pub fn decimal(value: &Value) -> Decimal {
    value
        .as_f64()
        .and_then(|number| number.to_string().parse().ok())
        .unwrap_or_else(|| panic!("{value} is no number"))
}
