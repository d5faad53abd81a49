//! Un serveur HTTP minuscule sur une prise locale : une fermeture écrit ce qu'elle veut, même faux.
#![allow(dead_code)] // chaque essai n'en prend qu'une partie

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Le serveur ; il vit jusqu'à la fin du processus d'essai.
pub struct Fake {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// `answer` reçoit la tête de la requête et la connexion, que sa fin ferme.
    pub fn serving(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free local port");
        let url = format!("http://{}", listener.local_addr().expect("a local address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), requests.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, seen) = (answer.clone(), seen.clone());
                let mut stream = stream.expect("a connection");
                thread::spawn(move || {
                    let head = read_head(&stream);
                    seen.lock().expect("no panic while held").push(head.clone());
                    answer(&head, &mut stream);
                });
            }
        });
        Fake { url, requests }
    }

    /// Toujours la même réponse.
    pub fn answering(status: &str, body: impl Into<String>) -> Fake {
        let text = response(status, "", &body.into());
        // Le client peut avoir raccroché : ce qui compte est ce qu'il en a lu.
        Fake::serving(move |_, stream| drop(stream.write_all(text.as_bytes())))
    }

    /// Les têtes des requêtes reçues.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic while held").clone()
    }
}

/// Une réponse entière ; `headers` finit par un saut de ligne s'il n'est pas vide.
pub fn response(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

fn read_head(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    head
}
