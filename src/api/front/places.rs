//! Les places : combien de connexions, où en est chacune, laquelle cède la sienne.
//!
//! Invariant : jamais plus de `limit` connexions, et une place rendue quoi qu'il arrive à sa connexion (fin, panique,
//! éviction), par `Drop`. De celles qui peuvent céder, ce sont d'abord celles du client qui en a le plus : qui en prend cinquante
//! ne chasse que lui-même. Une route en train de répondre ne perd jamais sa place : on ne coupe pas une écriture en cours
//! d'exécution pour un inconnu qui frappe. Tout vit sur le fil de l'exécuteur ; aucun emprunt ne traverse une attente.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Instant;

use smol::Task;

/// Où en est une connexion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Rien n'est demandé : entre deux requêtes, ou en train de se fermer.
    Idle,
    /// Acceptée, aucun octet reçu : elle cède comme une requête qui arrive, sinon un nouveau venu perdrait sa place avant
    /// d'avoir pu parler.
    Fresh,
    /// Une requête arrive, tête ou corps.
    Reading,
    /// Une réponse sans fin part, morceau par morceau : qui la lit sait revenir.
    Streaming,
    /// La réponse part.
    Writing,
    /// Une route répond.
    Answering,
}

impl Phase {
    /// Le mot du journal.
    fn word(self) -> &'static str {
        match self {
            Phase::Idle => "idle",
            Phase::Fresh => "fresh",
            Phase::Reading => "reading",
            Phase::Streaming => "streaming",
            Phase::Writing => "writing",
            Phase::Answering => "answering",
        }
    }

    /// Le rang dans lequel les places sont cédées, à rang égal celles de la foule, puis la plus ancienne ; `None` : jamais.
    fn yields(self) -> Option<u8> {
        match self {
            Phase::Idle => Some(0),
            Phase::Streaming => Some(1),
            Phase::Fresh | Phase::Reading => Some(2),
            Phase::Writing => Some(3),
            Phase::Answering => None,
        }
    }
}

struct Entry {
    household: IpAddr,
    phase: Phase,
    since: Instant,
    task: Option<Task<()>>,
}

#[derive(Default)]
struct Table {
    entries: BTreeMap<u64, Entry>,
    next: u64,
    stopping: bool,
}

/// La table des places, partagée par le front et ses connexions.
#[derive(Clone, Default)]
pub(super) struct Places(Rc<RefCell<Table>>);

/// La place d'une connexion ; elle la rend en disparaissant.
pub(super) struct Place {
    places: Places,
    id: u64,
}

impl Places {
    /// Une place pour une nouvelle connexion, au besoin prise à une autre ; `None` si toutes sont à une route qui répond.
    pub(super) fn take(&self, limit: usize, household: IpAddr) -> Option<Place> {
        if self.0.borrow().entries.len() >= limit {
            // La tâche est détruite hors de l'emprunt : sa place se rend par la même table.
            let evicted = self.evict()?;
            drop(evicted);
        }
        let mut table = self.0.borrow_mut();
        let id = table.next;
        table.next += 1;
        let entry = Entry { household, phase: Phase::Fresh, since: Instant::now(), task: None };
        table.entries.insert(id, entry);
        Some(Place { places: self.clone(), id })
    }

    fn evict(&self) -> Option<Entry> {
        let mut table = self.0.borrow_mut();
        let mut crowds = BTreeMap::<IpAddr, usize>::new();
        for entry in table.entries.values() {
            *crowds.entry(entry.household).or_default() += 1;
        }
        let candidates = table.entries.iter().filter_map(|(id, entry)| {
            Some((entry.phase.yields()?, Reverse(crowds.get(&entry.household)), entry.since, *id))
        });
        let (_, _, _, id) = candidates.min()?;
        let entry = table.entries.remove(&id)?;
        log::debug!("connection_evicted phase={}", entry.phase.word());
        Some(entry)
    }

    /// Confie à la table la tâche de cette place.
    pub(super) fn own(&self, id: u64, task: Task<()>) {
        if let Some(entry) = self.0.borrow_mut().entries.get_mut(&id) {
            entry.task = Some(task);
        }
    }

    /// Dès maintenant, chaque connexion finit avec sa requête en cours.
    pub(super) fn begin_stop(&self) {
        self.0.borrow_mut().stopping = true;
    }

    /// Vide la table : chaque tâche, et si une requête qui aura une fin y est en cours.
    pub(super) fn close(&self) -> Vec<(Task<()>, bool)> {
        let entries = std::mem::take(&mut self.0.borrow_mut().entries).into_values();
        let asked = |phase| !matches!(phase, Phase::Idle | Phase::Fresh | Phase::Streaming);
        entries.filter_map(|entry| Some((entry.task?, asked(entry.phase)))).collect()
    }

    #[cfg(test)]
    fn phases(&self) -> Vec<(u64, Phase)> {
        self.0.borrow().entries.iter().map(|(id, entry)| (*id, entry.phase)).collect()
    }
}

impl Place {
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Note que la connexion passe à cette phase, maintenant.
    pub(super) fn enter(&self, phase: Phase) {
        if let Some(entry) = self.places.0.borrow_mut().entries.get_mut(&self.id) {
            entry.phase = phase;
            entry.since = Instant::now();
        }
    }

    /// Vrai dès que le front s'arrête : la réponse en cours est la dernière.
    pub(super) fn stopping(&self) -> bool {
        self.places.0.borrow().stopping
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let entry = self.places.0.borrow_mut().entries.remove(&self.id);
        // Rendue de l'intérieur même de la tâche, qui se termine : il n'y a plus rien à annuler.
        if let Some(task) = entry.and_then(|entry| entry.task) {
            task.detach();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn check(phases: &[Phase], expected: Option<u64>) {
        let places = Places::default();
        let held: Vec<Place> = phases
            .iter()
            .map(|phase| {
                let place = places.take(phases.len(), HOME).expect("a free place");
                place.enter(*phase);
                place
            })
            .collect();
        let newcomer = places.take(phases.len(), HOME);
        let left: Vec<u64> = places.phases().into_iter().map(|(id, _)| id).collect();
        let evicted = held.iter().map(Place::id).find(|id| !left.contains(id));
        assert_eq!(evicted, expected, "{phases:?}");
        assert_eq!(newcomer.is_some(), expected.is_some(), "{phases:?}");
        assert!(left.len() <= phases.len());
    }

    #[test]
    fn a_full_house_gives_up_the_oldest_idle_then_streaming_reading_writing_never_an_answering_one() {
        use Phase::{Answering, Fresh, Idle, Reading, Streaming, Writing};
        check(&[Reading, Idle, Idle], Some(1));
        check(&[Reading, Streaming, Idle], Some(2));
        check(&[Fresh, Writing, Streaming, Streaming], Some(2));
        check(&[Answering, Reading, Writing, Fresh], Some(1));
        check(&[Fresh, Reading], Some(0));
        check(&[Answering, Writing, Writing], Some(1));
        check(&[Answering, Answering], None);
    }

    #[test]
    fn a_crowd_from_one_address_takes_the_place_of_nobody_else() {
        let (places, crowd) = (Places::default(), IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1)));
        let own = places.take(64, HOME).expect("a free place");
        own.enter(Phase::Reading);
        let held: Vec<Place> = (0..200).filter_map(|_| places.take(64, crowd)).collect();
        assert!(places.phases().contains(&(own.id(), Phase::Reading)), "the oldest, but not of the crowd");
        assert_eq!((held.len(), places.phases().len()), (200, 64));
        let other = places.take(64, HOME).expect("the crowd makes room");
        assert!(places.phases().contains(&(own.id(), Phase::Reading)) && other.id() == 201);
    }

    #[test]
    fn a_dropped_place_is_free_again() {
        let places = Places::default();
        drop(places.take(1, HOME));
        assert!(places.phases().is_empty());
    }
}
