//! The way to this server's own APIs for programs that it runs itself, such as functions in sandboxes.

use std::sync::{Arc, OnceLock, Weak};

use tokio::net::TcpStream;

use super::Gateway;

/// Answers connections from inside. Services get it before the gateway exists; until that serves, connections are
/// closed unanswered. Cheap to clone.
#[derive(Clone, Default)]
pub struct InsideDoor {
    gateway: Arc<OnceLock<Weak<Gateway>>>,
}

impl InsideDoor {
    /// Lets connections in, once.
    pub(super) fn open(&self, gateway: &Arc<Gateway>) {
        let opened = self.gateway.set(Arc::downgrade(gateway));
        debug_assert!(opened.is_ok(), "the door is opened once");
    }

    /// Serves a connection as if it had come to the server's own port, but without TLS. Must be called inside the runtime.
    pub fn answer(&self, stream: TcpStream) {
        if let Some(gateway) = self.gateway.get().and_then(Weak::upgrade) {
            tokio::spawn(gateway.serve_inside(stream));
        }
    }
}
