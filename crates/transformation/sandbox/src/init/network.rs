//! The tree's whole network: a loopback device, and listeners on it that the server answers.

use std::io;
use std::net::{SocketAddr, TcpListener};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use super::{InitError, Step, system};

pub(super) fn raise_loopback() -> io::Result<()> {
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    system::raise_device(&socket, "lo")
}

pub(super) fn listen(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, InitError> {
    addresses.iter().map(|address| TcpListener::bind(address).step(format!("listening on {address}"))).collect()
}
