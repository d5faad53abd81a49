//! Une requête HTTP telle qu'une contrepartie la reçoit. Sa chaîne de requête et son corps restent bruts : les
//! signatures portent sur eux, à l'octet près.

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// Sans le `?`.
    pub(super) query: String,
    pub(super) body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Request {
    /// `target` est le chemin et, s'il y en a une, la chaîne de requête.
    pub(super) fn new(method: &str, target: &str, headers: Vec<(String, String)>, body: &[u8]) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body: body.to_vec(),
            headers,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Faux si le client a demandé de fermer après la réponse.
    pub(super) fn keep_alive(&self) -> bool {
        self.header("Connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"))
    }
}
