pub mod domain;

pub mod clock;
pub mod fetch;

pub mod binance;
pub mod config;
pub mod leader;
pub mod logging;
