//! Ce que le programme reçoit à sa compilation : sa version, sa page.

mod comments;
mod page;
mod version;

use std::io;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build");
    version::tell();
    page::embed()
}
