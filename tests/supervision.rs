//! Le vrai programme sous surveillance : ce qu'en disent `calvalot healthcheck`, que Docker appelle, et les nouvelles
//! que systemd attend.

mod follower;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use follower::{Folder, Process, environment, free_port, still_world, until};

/// Le code de sortie et l'unique ligne de `calvalot healthcheck` pour ce port.
fn healthcheck(port: &str) -> (Option<i32>, String) {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
    let command = command.arg("healthcheck").env_clear().env("PORT", port).current_dir(folder.path());
    let output = command.output().expect("the program starts");
    let told = String::from_utf8([output.stdout, output.stderr].concat()).expect("a text");
    assert_eq!(told.lines().count(), 1, "{told:?}");
    (output.status.code(), told)
}

#[test]
fn a_daemon_that_runs_is_healthy_and_one_that_has_ended_is_not() {
    let (world, folder) = (still_world(), Folder::new());
    let process = Process::run(&world, &folder);
    until("it answers", || process.site().try_get("/health"));
    let port = process.site().address().port().to_string();
    let (code, told) = healthcheck(&port);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.starts_with("healthy: ") && told.contains("\"status\":\"ok\""), "{told}");
    assert_eq!(process.terminate(), Some(0));
    let (code, told) = healthcheck(&port);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.starts_with("unhealthy: no answer on port ") && told.contains(&port), "{told}");
}

/// Quelqu'un d'autre sur le port, qui répond cela puis se tait ; rien : il accepte et se tait.
fn stranger(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port().to_string();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("it is asked");
        let mut asked = [0; 1024];
        assert!(stream.read(&mut asked).expect("a request") > 0);
        stream.write_all(answer.as_bytes()).expect("it listens");
        if answer.is_empty() {
            // Se taire jusqu'à ce que l'autre raccroche.
            stream.read_to_end(&mut Vec::new()).ok();
        }
    });
    port
}

#[test]
fn whatever_answers_but_a_healthy_calvalot_is_unhealthy() {
    let cases = [
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n{\"status\":\"degraded\",\"service\":\"calvalot\"}", "503"),
        ("HTTP/1.1 200 OK\r\n\r\nanother program", "another program"),
        ("HTTP/1.1 200 OK\r\n", "not whole"),
        ("nonsense", "not whole"),
    ];
    for (answer, expected) in cases {
        let (code, told) = healthcheck(&stranger(answer));
        assert_eq!(code, Some(1), "{answer:?}: {told}");
        assert!(told.starts_with("unhealthy: ") && told.contains(expected), "{answer:?}: {told}");
    }
    let (code, told) = healthcheck("http");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("PORT"), "{told}");
}

#[test]
fn a_silence_is_unhealthy_within_the_time_limit() {
    let port = stranger("");
    let asked = Instant::now();
    let (code, told) = healthcheck(&port);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("within 3 s"), "{told}");
    // Dix fois la limite : une machine chargée prend son temps, un programme sans limite ne finit pas.
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
}

/// Un programme lancé comme systemd le fait, et la socket où il parle.
struct Supervised {
    child: Child,
    socket: UnixDatagram,
}

impl Supervised {
    fn start(folder: &Folder, variables: &[(&str, String)]) -> Supervised {
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
        let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
        command
            .env_clear()
            .envs(variables.iter().cloned())
            .env("PORT", free_port().to_string())
            .env("NOTIFY_SOCKET", &path)
            .current_dir(folder.path())
            .stderr(Stdio::null());
        Supervised { child: command.spawn().expect("the program starts"), socket }
    }

    fn news(&self) -> String {
        let mut news = [0; 64];
        let length = self.socket.recv(&mut news).expect("some news within a minute");
        String::from_utf8_lossy(&news[..length]).into_owned()
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().expect("kill exists").success());
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn systemd_hears_that_it_is_ready_then_alive_then_leaving() {
    let (world, folder) = (still_world(), Folder::new());
    let mut variables = environment(&world, &folder).to_vec();
    variables.push(("WATCHDOG_USEC", "100000".to_owned()));
    let mut supervised = Supervised::start(&folder, &variables);
    assert_eq!(supervised.news(), "READY=1");
    for _ in 0..3 {
        assert_eq!(supervised.news(), "WATCHDOG=1");
    }
    supervised.signal("TERM");
    let last =
        until("it says that it leaves", || Some(supervised.news()).filter(|news| news != "WATCHDOG=1"));
    assert_eq!(last, "STOPPING=1");
    let code = until("it ends", || supervised.child.try_wait().expect("our child")).code();
    assert_eq!(code, Some(0));
}

#[test]
fn a_program_that_hangs_falls_silent() {
    let (world, folder) = (still_world(), Folder::new());
    let mut variables = environment(&world, &folder).to_vec();
    variables.push(("WATCHDOG_USEC", "100000".to_owned()));
    let supervised = Supervised::start(&folder, &variables);
    assert_eq!(supervised.news(), "READY=1");
    supervised.signal("STOP");
    // Ce qui était parti avant l'arrêt, puis plus rien pendant dix délais.
    supervised.socket.set_read_timeout(Some(Duration::from_secs(1))).expect("a limit");
    let silence = until("it falls silent", || supervised.socket.recv(&mut [0; 64]).err());
    assert_eq!(silence.kind(), ErrorKind::WouldBlock, "{silence}");
    supervised.signal("CONT");
    supervised.socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
    assert_eq!(supervised.news(), "WATCHDOG=1");
}

#[test]
fn without_a_supervisor_or_with_one_that_is_gone_it_runs_all_the_same() {
    let (world, folder) = (still_world(), Folder::new());
    let mut variables = environment(&world, &folder).to_vec();
    let port = free_port();
    variables.push(("PORT", port.to_string()));
    variables.push(("NOTIFY_SOCKET", folder.path().join("nobody").display().to_string()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
    command.env_clear().envs(variables).current_dir(folder.path()).stderr(Stdio::null());
    let supervised = Supervised {
        child: command.spawn().expect("the program starts"),
        socket: UnixDatagram::unbound().expect("a socket"),
    };
    let answer = until("it answers", || follower::Site::at(port).try_get("/health"));
    assert_eq!((answer.status, supervised.child.id() > 0), (200, true));
}
