//! Le métier, sans horloge, sans socket, sans SQL : des valeurs et des fonctions pures.
//!
//! Tout ce qui est difficile se décide ici, et se teste ici sans réseau. Rien de ce module ne
//! sait d'où vient un prix ni où va un ordre ; le temps est un argument.

pub mod aim;
pub mod allocation;
pub mod approach;
pub mod belief;
pub mod book;
pub mod booking;
pub mod by_hand;
pub mod cash;
pub mod check;
pub mod cost;
pub mod depth;
pub mod doubt;
pub mod drawdown;
pub mod dust;
pub mod execution;
pub mod intent;
pub mod lost_past;
pub mod lot;
pub mod market;
pub mod moment;
pub mod money;
pub mod movement;
pub mod order;
pub mod order_name;
pub mod others;
pub mod performance;
pub mod plan;
pub mod policy;
pub mod poll;
pub mod portfolio;
pub mod purchase;
pub mod raise;
pub mod reach;
pub mod reconcile;
pub mod recourse;
pub mod refusal;
pub mod settled;
pub mod signal;
pub mod stop_loss;
pub mod survival;
pub mod turnover;
pub mod wish;
pub mod withdrawal;
