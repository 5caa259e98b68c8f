//! How much memory idle services take, each measurement in a process of its own.

use std::fs;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::peers::{self, Failure};

/// The argument that makes this program a measuring process: `--idle PEER SERVICES`.
pub const ARGUMENT: &str = "--idle";

/// The memory of this process at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Footprint {
    resident: u64,
}

/// What a crowd of services added to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// Bytes resident now less bytes resident before.
    pub resident: u64,
    /// The most that was resident at any time less bytes resident before: what the machine must have, because building
    /// may take more than keeping.
    pub peak: u64,
}

impl Footprint {
    /// Before the first service is created.
    pub fn now() -> Result<Self, Failure> {
        Ok(Footprint { resident: status_bytes("self", "VmRSS")? })
    }

    /// While all services wait.
    pub fn complete(self) -> Result<Growth, Failure> {
        Ok(Growth {
            resident: status_bytes("self", "VmRSS")?.saturating_sub(self.resident),
            peak: status_bytes("self", "VmHWM")?.saturating_sub(self.resident),
        })
    }
}

/// A line of `/proc/PROCESS/status` that is given in kB (which Linux means as KiB), in bytes.
pub fn status_bytes(process: &str, line: &str) -> Result<u64, Failure> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path)
        .map_err(|error| Failure::Runtime(format!("{path}: {error}; memory is measured on Linux only")))?;
    status
        .lines()
        .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .map(|kibibytes| kibibytes * 1024)
        .ok_or_else(|| Failure::Runtime(format!("{path} has no {line}")))
}

/// In the measuring process: creates the services of one peer and prints the growth as JSON.
pub fn measure_here(peer: &str, services: u32) -> Result<(), Failure> {
    let peers = peers::all();
    let peer = peers
        .iter()
        .find(|known| known.name() == peer)
        .ok_or_else(|| Failure::Runtime(format!("there is no peer `{peer}`")))?;
    let growth = peer.idle(services, Footprint::now()?);
    println!("{}", serde_json::to_string(&growth).map_err(Failure::runtime)?);
    Ok(())
}

/// Starts a measuring process and reads what it found.
pub fn measure(peer: &str, services: u32) -> Result<Growth, Failure> {
    let program = std::env::current_exe().map_err(Failure::runtime)?;
    let output = Command::new(program)
        .args([ARGUMENT, peer, &services.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Failure::runtime)?;
    if !output.status.success() {
        return Err(Failure::Runtime(format!("{peer} with {services} idle services: {}", output.status)));
    }
    serde_json::from_slice(&output.stdout).map_err(Failure::runtime)?
}
