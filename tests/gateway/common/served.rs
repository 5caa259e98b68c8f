//! Scenarios that are served by the program itself, in processes of their own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::{Client, Response};

/// A process that serves a scenario. Dropped, it is killed.
pub struct Served {
    child: Child,
    address: SocketAddr,
    /// Reads what it has to complain of.
    complaints: Option<JoinHandle<String>>,
    /// Where the scenario stands.
    _folder: TempDir,
}

impl Served {
    /// Serves a scenario of this text, on any free port unless the options say where. At the end it says in JSON what came of it.
    pub fn scenario(text: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a scenario");
        let file = folder.path().join("scenario.ron");
        std::fs::write(&file, text).expect("there is room for a scenario");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rehearsal"));
        command.arg("serve").arg(&file).arg("--json").args(options);
        if !options.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.env_remove("REHEARSAL_TOKEN").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program is there");
        let mut told = BufReader::new(child.stderr.take().expect("it has a standard error"));
        let address = address(&mut told);
        let complaints = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = told.read_to_string(&mut text);
            text
        });
        Served { child, address, complaints: Some(complaints), _folder: folder }
    }

    /// The text of a scenario that comes with Rehearsal.
    pub fn ours(name: &str) -> String {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
        std::fs::read_to_string(file).expect("the scenario is there")
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// One request on a connection of its own.
    pub fn ask(&self, method: &str, target: &str) -> Response {
        self.client().ask(method, target, &[], b"")
    }

    /// The whole answer to a call at `/api`.
    pub fn answer(&self, method: &str, params: Value) -> Value {
        self.answer_to("/api", method, params)
    }

    /// The whole answer to a call at a path.
    pub fn answer_to(&self, target: &str, method: &str, params: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": 1 });
        let headers = [("content-type", "application/json")];
        self.client().ask("POST", target, &headers, request.to_string().as_bytes()).json()
    }

    /// The result of a call at `/api`.
    #[track_caller]
    pub fn call(&self, method: &str, params: Value) -> Value {
        let mut answer = self.answer(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// How much memory it has, in MiB.
    #[cfg(target_os = "linux")]
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("it is a number");
        kib / 1024
    }

    /// Asks it to close, as Ctrl-C does, and returns what it says of the run.
    pub fn close(mut self) -> Value {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().expect("there is a `kill`");
        assert!(sent.success());
        let mut told = String::new();
        let mut out = self.child.stdout.take().expect("it has a standard output");
        out.read_to_string(&mut told).expect("it tells in UTF-8");
        let ended = self.child.wait().expect("it ends");
        let complaints = self.complaints.take().and_then(|reading| reading.join().ok()).unwrap_or_default();
        assert!(ended.success(), "{ended}: {complaints}\n{told}");
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has mostly ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where it says that it listens.
fn address(told: &mut BufReader<ChildStderr>) -> SocketAddr {
    let mut all = String::new();
    loop {
        let from = all.len();
        let read = told.read_line(&mut all).expect("it tells in UTF-8");
        assert!(read > 0, "it ended before it listened:\n{all}");
        let Some((_, after)) = all[from..].split_once("listening on http://") else { continue };
        let end = after.find([',', ' ', '\n']).unwrap_or(after.len());
        return after[..end].parse().expect("it says an address");
    }
}
