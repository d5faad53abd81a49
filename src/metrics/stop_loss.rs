//! La perte que l'on se fixe : où elle est, où l'on en est, si elle est atteinte.

use prometheus_client::registry::Registry;

use super::series::{flag, single};

/// La limite à un instant, en parts du plus haut qui compte pour elle.
#[derive(Clone, Debug, Default)]
pub struct StopLoss {
    /// `None` s'il n'y en a pas.
    pub limit_ratio: Option<f64>,
    pub drawdown_ratio: Option<f64>,
    /// Elle l'a été, et personne n'a repris depuis.
    pub reached: bool,
}

impl StopLoss {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Fall below its highest at which everything is sold, if one is set";
        single(registry, "stop_loss_ratio", help, self.limit_ratio);
        let help = "How far the value is below the highest that counts for the stop loss";
        single(registry, "stop_loss_drawdown_ratio", help, self.drawdown_ratio);
        let help = "1 once the stop loss was reached, until a person resumes";
        single(registry, "stop_loss_reached", help, Some(flag(self.reached)));
    }
}
