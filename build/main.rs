//! Ce que le programme reçoit à sa compilation : sa version, sa page.

mod comments;
mod page;
mod version;

use std::io;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build");
    // Les relocations en un trentième de la place : autant de moins à lire au départ, et en mémoire. Un éditeur de liens d'avant
    // 2022 le dit et s'en passe.
    println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    version::tell();
    page::embed()
}
