//! Calv-a-lot suit un leader, Cash-a-lot, sur le compte Binance de son utilisateur.
//!
//! Dans l'ordre de lecture : le métier (`domain`), sans horloge ni réseau ; les interlocuteurs, qui ne
//! se connaissent pas entre eux (`config`, `clock`, `logging`, `fetch`, `leader`, `exchange`, `ledger`, `machine`,
//! `metrics`, `network`, `notify`, `output`) ; où vont les ordres (`account`, le compte réel ; `paper`, la simulation ; `venue`, l'un des
//! deux) ; le moteur (`engine`), qui met les étapes dans l'ordre ; les surfaces (`api`, `backup`, `check`, `daemon`,
//! `decide`, `demo`, `healthcheck`, `keygen`, `local`, `restore`, `sell_all`, `verify`, `cli`). `sim` est le faux monde extérieur,
//! pour la démonstration et les tests.
//! `ARCHITECTURE.md` est la carte.

pub mod domain;

pub mod clock;
pub mod config;
pub mod exchange;
pub mod fetch;
pub mod leader;
pub mod ledger;
pub mod logging;
pub mod machine;
pub mod metrics;
pub mod network;
pub mod notify;
pub mod output;

pub mod account;
pub mod paper;
pub mod venue;

pub mod engine;

pub mod api;
pub mod backup;
pub mod check;
pub mod cli;
pub mod daemon;
pub mod decide;
pub mod demo;
pub mod healthcheck;
pub mod keygen;
pub mod local;
pub mod restore;
pub mod sell_all;
pub mod undumpable;
pub mod verify;

pub mod sim;
