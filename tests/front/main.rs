//! Le front HTTP, par de vraies sockets et des octets bruts : ce qu'il sert, ce qu'il refuse, ce qu'il borne.

mod answers;
mod feed;
mod guard;
mod limits;
mod malformed;
mod server;
