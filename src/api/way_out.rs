//! Une issue : ce qu'une personne peut décider, ce qui s'ensuit, et comment le demander.

use miniserde::Serialize;
use miniserde::json::{Object, Value};

/// Une issue.
#[derive(Serialize)]
pub(super) struct WayOut {
    /// Ce qu'une personne tape : `release-12`.
    pub(super) name: String,
    /// De quoi elle décide.
    pub(super) about: String,
    pub(super) consequence: String,
    pub(super) method: &'static str,
    pub(super) path: String,
    /// Ce qui est à envoyer, avec ce que la personne donne de plus.
    pub(super) body: Object,
    /// Les champs qu'elle doit donner, et ceux qu'elle peut donner.
    pub(super) needs: &'static [&'static str],
    pub(super) takes: &'static [&'static str],
}

impl WayOut {
    pub(super) fn new(
        name: impl Into<String>,
        about: impl Into<String>,
        consequence: impl Into<String>,
    ) -> WayOut {
        WayOut {
            name: name.into(),
            about: about.into(),
            consequence: consequence.into(),
            method: "POST",
            path: String::new(),
            body: Object::new(),
            needs: &[],
            takes: &[],
        }
    }

    pub(super) fn post(self, path: impl Into<String>) -> WayOut {
        WayOut { path: path.into(), ..self }
    }

    pub(super) fn put(self, path: impl Into<String>) -> WayOut {
        WayOut { method: "PUT", ..self.post(path) }
    }

    pub(super) fn say(mut self, field: &str, value: Value) -> WayOut {
        self.body.insert(field.to_owned(), value);
        self
    }

    pub(super) fn yes(self, field: &str) -> WayOut {
        self.say(field, Value::Bool(true))
    }
}
