//! Un suiveur au compte réel, face à la bourse simulée, et de quoi poser dans sa base ce qui est long à attendre.

use std::time::Duration;

use calvalot::config::{AccountAccess, Config, Mode, Secret};
use calvalot::sim::{Pace, Script, World};
use rust_decimal::dec;

use crate::base;
use crate::follower::{Folder, Follower, Site, config, until};

/// Un ordre bloqué, un cru absent puis exécuté, un prouvé absent ; un ordre d'autrui.
pub const ROWS: &str = "
    INSERT INTO intents (id, signal, coin, side, spend, quantity, attempt, state, reason, client_id, stamped_at,
        window, order_id, late, created_at, ended_at) VALUES
        (91, 1, 'SOLUSDC', 'BUY', '30.5', NULL, 2, 'stuck', 'look at it', 'cal-x-91-2', 1790000000000, 5000, NULL, 0,
            1790000000000, NULL),
        (92, 1, 'XRPUSDC', 'BUY', '12', NULL, 1, 'filled', 'it never arrived', 'cal-x-92-1', 1790000000000, 5000, 77,
            1, 1790000000000, 1790000100000),
        (93, 1, 'SOLUSDC', 'BUY', '30.5', NULL, 1, 'absent', 'proved', 'cal-x-93-1', 1790000000000, 5000, NULL, 0,
            1790000000000, 1790000200000);
    INSERT INTO foreign_orders (coin, order_id, client_id, side, executed, amount, at) VALUES
        ('BNBUSDC', 5, 'web_1', 'SELL', '0.25', NULL, 1790000000000);";

/// Un suiveur réel et son monde ; le lâcher arrête tout.
pub struct Live {
    follower: Option<Follower>,
    pub world: World,
    pub folder: Folder,
}

impl Live {
    /// 2000 USDC au compte, et une allocation à suivre : 40 % de BTC, 20 % d'ETH.
    pub fn start(prepare: impl FnOnce(&World)) -> Live {
        let balances = vec![("USDC".to_owned(), dec!(2000))];
        let world = World::start(Script { pace: Pace::Frozen, balances, ..Script::default() });
        let (world, folder) = (world.expect("the loopback has free ports"), Folder::new());
        world.leader().set_target(&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.2))]);
        prepare(&world);
        let follower = Some(follower(&world, &folder, Duration::from_millis(200)));
        Live { follower, world, folder }
    }

    /// Le même, qui a suivi, puis redémarré sur `rows` en plus ; il ne fait plus qu'un tour par heure.
    pub fn settled_with(rows: &str) -> Live {
        let mut live = Live::start(|_| {});
        live.site().closed_signal("initial_sync");
        live.follower = None;
        base(&live.folder).execute_batch(rows).unwrap();
        let polls = live.world.leader().polls();
        live.follower = Some(follower(&live.world, &live.folder, Duration::from_secs(3600)));
        until("the only poll is made and trading is open", || {
            let page = live.site().try_get("/api/exchange")?.json();
            (live.world.leader().polls() > polls && page["trading_open"] == true).then_some(())
        });
        live
    }

    pub fn site(&self) -> Site {
        self.follower.as_ref().expect("it runs").site()
    }
}

fn follower(world: &World, folder: &Folder, poll_interval: Duration) -> Follower {
    // L'état de l'échange s'écrit au plus tard à la lecture suivante du marché.
    let market_interval = Duration::from_secs(1);
    Follower::start(Config { poll_interval, market_interval, ..real(config(world, folder), world) })
}

/// La même configuration, au compte réel de `world`.
pub fn real(config: Config, world: &World) -> Config {
    let account = AccountAccess {
        api_key: Some(Secret::new(Script::default().api_key)),
        api_secret: Some(Secret::new(Script::default().api_secret)),
        ..AccountAccess::at(world.exchange_url())
    };
    Config { mode: Mode::Live, account, ..config }
}
