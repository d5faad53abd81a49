//! La surface HTTP : le front à nous, le routage de tide, les gardes, les erreurs, la page.
//!
//! L'ordre est celui d'une requête : `front` la lit sur la socket et borne tout ce qu'elle coûte, `errors` donne aux
//! refus leur forme, `guard` écarte ce qui ne vient pas d'ici, puis une route répond.

pub mod errors;
pub mod front;
pub mod guard;
pub mod page;
