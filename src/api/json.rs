//! Le JSON qui sort de l'API.

use http_types::StatusCode;
use tide::Response;

/// Une réponse JSON, jamais gardée en cache.
pub fn json(status: StatusCode, value: &impl miniserde::Serialize) -> Response {
    Response::builder(status)
        .body(miniserde::json::to_string(value))
        .content_type("application/json")
        .header("cache-control", "no-store")
        .build()
}
