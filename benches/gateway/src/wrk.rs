//! Throughput, as wrk has it.

use std::error::Error;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use crate::REQUEST;

/// Requests a second.
pub(crate) fn rate(address: SocketAddr, length: Duration) -> Result<f64, Box<dyn Error>> {
    let script = std::env::temp_dir().join(format!("rehearsal-gateway-bench-{}.lua", std::process::id()));
    let text = format!(
        "wrk.method = \"POST\"\nwrk.body = [[{REQUEST}]]\nwrk.headers[\"Content-Type\"] = \"application/json\"\n"
    );
    std::fs::write(&script, text)?;
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", "64", "--duration", &format!("{}s", length.as_secs())])
        .arg("--script")
        .arg(&script)
        .arg(format!("http://{address}/api/hello"))
        .output()
        .map_err(|error| format!("wrk cannot be run ({error}); install it first"));
    let _ = std::fs::remove_file(&script);
    let said = String::from_utf8(output?.stdout)?;
    if said.contains("Non-2xx") || said.contains("Socket errors") {
        return Err(format!("not every request was answered well:\n{said}").into());
    }
    let rate = said.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    Ok(rate.ok_or_else(|| format!("wrk did not say how fast it was:\n{said}"))?.trim().parse()?)
}
