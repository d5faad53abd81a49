//! Le processus ne laisse pas d'image de sa mémoire : la clé, son secret et celui du leader y sont en clair.
//!
//! Ni fichier `core` quand il s'arrête mal, ni lecture de sa mémoire par un autre programme du même utilisateur.

use rustix::io;
#[cfg(target_os = "linux")]
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::process::{Resource, Rlimit, setrlimit};

/// L'interdit, pour toute la vie du processus.
///
/// # Errors
/// Le noyau ne l'a pas permis.
pub fn forbid() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustix::process::getrlimit;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_memory_of_the_process_is_written_nowhere_and_read_by_nobody_else() {
        forbid().expect("the kernel allows it");
        assert_eq!(rustix::process::dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
