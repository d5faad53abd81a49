//! Calv-a-lot suit un leader, Cash-a-lot, sur le compte Binance de son utilisateur.
//!
//! Dans l'ordre de lecture : le métier (`domain`), sans horloge ni réseau ; les interlocuteurs, qui ne
//! se connaissent pas entre eux (`config`, `clock`, `logging`, `fetch`, `leader`, `binance`, `paper`,
//! `ledger`, `metrics`) ; le moteur (`engine`), qui met les étapes dans l'ordre ; les surfaces (`api`,
//! `daemon`, `cli`). `sim` est le faux monde extérieur, pour la démonstration et les tests.
//! `ARCHITECTURE.md` est la carte.

pub mod domain;

pub mod clock;
pub mod fetch;

pub mod binance;
pub mod config;
pub mod leader;
pub mod logging;
