//! L'agent : sa version, son état, son mode.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::series::one_of;

/// Les modes, tels que le grand livre les nomme.
pub(super) const MODES: [&str; 2] = ["dry_run", "live"];

/// L'agent à un instant.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    pub version: String,
    pub mode: String,
    pub dead: bool,
    pub paused: bool,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Version {
    version: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Mode {
    mode: &'static str,
}

impl Agent {
    pub(super) fn register(&self, registry: &mut Registry) {
        let build = Family::<Version, Gauge>::default();
        build.get_or_create(&Version { version: self.version.clone() }).set(1);
        registry.register("build_info", "The running version, always 1", build);

        let now = match (self.dead, self.paused) {
            (true, _) => "dead",
            (false, true) => "paused",
            (false, false) => "active",
        };
        let help = "1 for the state the agent is in";
        one_of(registry, "agent_state", help, &["active", "paused", "dead"], now);

        let modes = Family::<Mode, Gauge>::default();
        for mode in MODES {
            modes.get_or_create(&Mode { mode }).set(i64::from(mode == self.mode));
        }
        registry.register("trading_mode", "1 for the trading mode in force", modes);
    }
}
