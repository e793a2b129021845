//! What the server tells those who look after it: `GET /_boathouse/server`, signed, for whoever may `operations:GetServer`.
//!
//! Unlike `/_boathouse/health` and `/_boathouse/metrics`, which everybody can read, it says which version this is and how
//! much of what is kept.

use std::sync::Arc;
use std::time::Instant;

use boathouse_aws::access::{AccessRequest, Authorizer, ConditionKeys};
use boathouse_aws::documents::Documents;
use boathouse_aws::{Arn, AwsError, Ctx};
use serde_json::{Value, json};

use crate::usage::{Measured, Usage};

/// The address.
pub(crate) struct About {
    authorizer: Arc<dyn Authorizer>,
    usage: Arc<Usage>,
    started: Instant,
    machine_memory: u64,
}

impl About {
    /// Of a server that starts now.
    pub(crate) fn new(authorizer: Arc<dyn Authorizer>, usage: Arc<Usage>, machine_memory: u64) -> Self {
        Self { authorizer, usage, started: Instant::now(), machine_memory }
    }

    fn document(&self) -> Value {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        json!({
            "Version": env!("CARGO_PKG_VERSION"),
            "UptimeSeconds": self.started.elapsed().as_secs(),
            "Memory": {
                "ResidentBytes": kibibytes(&status, "VmRSS:"),
                "PeakBytes": kibibytes(&status, "VmHWM:"),
                "MachineBytes": self.machine_memory,
            },
            "Processors": std::thread::available_parallelism().map_or(1, usize::from),
            "DataDirectory": self.usage.last().as_ref().map(used),
        })
    }
}

fn used(measured: &Measured) -> Value {
    let part =
        |(name, part): (&&str, &crate::usage::Part)| json!({"Part": name, "Bytes": part.bytes, "Files": part.files});
    let parts: Vec<Value> = measured.parts.iter().map(part).collect();
    json!({"Parts": parts, "SecondsAgo": measured.at.elapsed().as_secs()})
}

/// A line of `/proc/self/status`, in bytes.
fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|size| size * 1024)
}

impl Documents for About {
    const SERVICE: &'static str = "operations";
    const OPERATION: &'static str = "GetServer";
    const PATH: &'static str = "/_boathouse/server";

    async fn read(&self, ctx: Ctx, _: &str) -> Result<Value, AwsError> {
        let action = format!("{}:{}", Self::SERVICE, Self::OPERATION);
        let resource = Arn::new(Self::SERVICE, ctx.region(), "server").to_string();
        let keys = ConditionKeys::new();
        self.authorizer.authorize(&ctx, &AccessRequest::new(&action, &resource, &keys))?;
        Ok(self.document())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_the_process_are_read() {
        let status = "Name:\tboathouse\nVmHWM:\t   2048 kB\nVmRSS:\t     10 kB\nThreads:\t7\n";
        assert_eq!(kibibytes(status, "VmRSS:"), Some(10_240));
        assert_eq!(kibibytes(status, "VmHWM:"), Some(2_097_152));
        assert_eq!(kibibytes(status, "VmSwap:"), None);
    }
}
