//! Une réponse HTTP entière, et ses octets.
//!
//! Les réponses toutes faites sont celles qu'un client rencontre devant la vraie bourse : débit, bannissement,
//! pare-feu, redirection.

use super::json::object;

/// Une réponse entière, prête à être écrite.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn empty(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn json(status: u16, body: String) -> Reply {
        let reply = Reply { body: body.into_bytes(), ..Reply::empty(status) };
        reply.header("Content-Type", "application/json;charset=UTF-8")
    }

    pub fn html(status: u16, body: &str) -> Reply {
        Reply { body: body.into(), ..Reply::empty(status) }.header("Content-Type", "text/html")
    }

    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// La forme des refus de la bourse : `{"code":-1007,"msg":"…"}`.
    pub fn code(status: u16, code: i64, msg: &str) -> Reply {
        Reply::json(status, object! { "code": code, "msg": msg }.to_string())
    }

    /// Limite de débit atteinte.
    pub fn too_many_requests(retry_after: u32) -> Reply {
        Reply::code(429, -1003, "Too many requests; current limit is 6000 requests per 1 MINUTE.")
            .header("Retry-After", &retry_after.to_string())
    }

    /// Adresse bannie jusqu'à `until_ms`.
    pub fn banned(retry_after: u32, until_ms: i64) -> Reply {
        let msg = format!("Way too much request weight used; IP banned until {until_ms}.");
        Reply::code(418, -1003, &msg).header("Retry-After", &retry_after.to_string())
    }

    /// Le pare-feu qui précède la bourse.
    pub fn firewall() -> Reply {
        Reply::html(
            403,
            "<html><head><title>403 Forbidden</title></head><body>Request blocked.</body></html>",
        )
    }

    pub fn restricted_location() -> Reply {
        Reply::code(451, 0, "Service unavailable from a restricted location according to 'b. Eligibility'.")
    }

    pub fn redirect(location: &str) -> Reply {
        Reply::empty(301).header("Location", location)
    }

    pub(super) fn head(&self, length: usize, keep_alive: bool) -> String {
        let connection = if keep_alive { "keep-alive" } else { "close" };
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // Un 204 n'a ni corps ni longueur (RFC 9110, 8.6).
        if self.status != 204 {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head.push_str(&format!("Connection: {connection}\r\n\r\n"));
        head
    }

    pub(super) fn bytes(&self, keep_alive: bool) -> Vec<u8> {
        let mut bytes = self.head(self.body.len(), keep_alive).into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        418 => "I'm a teapot",
        429 => "Too Many Requests",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
