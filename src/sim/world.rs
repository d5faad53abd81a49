//! Le monde simulé en vrai HTTP sur la boucle locale : un fil, deux ports éphémères ; le lâcher l'arrête.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::thread::JoinHandle;

use smol::channel::{Receiver, Sender, bounded};
use smol::{Async, LocalExecutor};

use super::direct::Direct;
use super::exchange::Exchange;
use super::fault::{Fault, Hit, On, Side};
use super::http::{Gate, Site, serve};
use super::leader::Leader;
use super::script::Script;

/// [`Direct`] derrière deux ports, servis par un fil.
pub struct World {
    direct: Direct,
    leader_door: Door,
    exchange_door: Door,
    thread: Option<JoinHandle<()>>,
}

/// Un port : son adresse, et de quoi l'ouvrir et le fermer. Le lâcher arrête le serveur derrière.
struct Door {
    address: SocketAddr,
    gate: Option<Sender<Gate>>,
}

impl World {
    /// # Errors
    /// Quand la boucle locale refuse un port, ou le système un fil.
    pub fn start(script: Script) -> io::Result<World> {
        let direct = Direct::new(script);
        let (leader_door, leader_port) = Door::bind(Side::Leader, direct.clone())?;
        let (exchange_door, exchange_port) = Door::bind(Side::Exchange, direct.clone())?;
        let thread = std::thread::Builder::new().name("sim".to_owned()).spawn(move || {
            let executor = Rc::new(LocalExecutor::new());
            let both =
                smol::future::zip(leader_port.serve(executor.clone()), exchange_port.serve(executor.clone()));
            smol::block_on(executor.run(both));
        })?;
        Ok(World { direct, leader_door, exchange_door, thread: Some(thread) })
    }

    /// Sans `/` final.
    pub fn leader_url(&self) -> String {
        format!("http://{}", self.leader_door.address)
    }

    /// Sans `/api` : les chemins sont `/api/v3/…`.
    pub fn exchange_url(&self) -> String {
        format!("http://{}", self.exchange_door.address)
    }

    pub fn leader(&self) -> &Leader {
        self.direct.leader()
    }

    pub fn exchange(&self) -> &Exchange {
        self.direct.exchange()
    }

    /// Pose une règle de panne ; elles s'ajoutent, la première qui se déclenche l'emporte.
    pub fn fault(&self, on: On, fault: Fault) {
        self.direct.fault(on, fault);
    }

    pub fn clear_faults(&self) {
        self.direct.clear_faults();
    }

    /// Les pannes qui ont frappé, dans l'ordre.
    pub fn hits(&self) -> Vec<Hit> {
        self.direct.hits()
    }

    /// Ferme le port : les connexions vivantes tombent, les suivantes sont refusées par le système.
    pub fn refuse_connections(&self, side: Side) -> io::Result<()> {
        self.door(side).turn(false)
    }

    /// Rouvre le même port.
    pub fn accept_connections(&self, side: Side) -> io::Result<()> {
        self.door(side).turn(true)
    }

    fn door(&self, side: Side) -> &Door {
        match side {
            Side::Leader => &self.leader_door,
            Side::Exchange => &self.exchange_door,
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.leader_door.gate = None;
        self.exchange_door.gate = None;
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            log::error!("world_stopped reason=panic");
        }
    }
}

impl Door {
    fn bind(side: Side, direct: Direct) -> io::Result<(Door, Port)> {
        let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0))?;
        let address = listener.get_ref().local_addr()?;
        let (gate, orders) = bounded(1);
        let site = Site { side, direct };
        Ok((Door { address, gate: Some(gate) }, Port { listener, address, orders, site }))
    }

    fn turn(&self, open: bool) -> io::Result<()> {
        let (done, outcome) = bounded(1);
        let gate = self.gate.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        gate.send_blocking(Gate { open, done }).map_err(io::Error::other)?;
        outcome.recv_blocking().map_err(io::Error::other)?
    }
}

/// L'autre bout d'une [`Door`], avant que le fil du monde ne s'en saisisse.
struct Port {
    listener: Async<TcpListener>,
    address: SocketAddr,
    orders: Receiver<Gate>,
    site: Site,
}

impl Port {
    async fn serve(self, executor: Rc<LocalExecutor<'_>>) {
        serve(executor, self.listener, self.address, self.orders, Rc::new(self.site)).await;
    }
}
