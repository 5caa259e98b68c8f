//! The two servers: processes of this same program.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use actix_web::{App, HttpResponse, HttpServer, rt, web};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bare,
    Gateway,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Bare => "bare",
            Kind::Gateway => "gateway",
        }
    }
}

/// A server in a process of its own, which ends with it.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--serve", kind.name()])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let told = process.stderr.take().ok_or("the server cannot be heard")?;
        let mut line = String::new();
        BufReader::new(told).read_line(&mut line)?;
        let address = line.split("http://").nth(1).and_then(|rest| rest.split([',', '\n']).next());
        let address = address.and_then(|address| address.parse().ok());
        let address = address.ok_or_else(|| format!("the server did not say where it listens: {line}"))?;
        Ok(Server { kind, address, process })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Is the server of that kind, until it is killed.
pub(crate) fn serve(kind: &str) -> ExitCode {
    if kind == Kind::Gateway.name() {
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("echo.ron");
        let arguments = ["rehearsal", "serve", "--listen", "127.0.0.1:0", "--idle-timeout", "10min"];
        let arguments = arguments.into_iter().map(Into::into).chain([scenario.into_os_string()]);
        return rehearsal::Cli::new(rehearsal::registry::Registry::stock()).run_from(arguments);
    }
    match rt::System::new().block_on(bare()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    params: Params<'a>,
    #[serde(borrow)]
    id: &'a RawValue,
    method: &'a str,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
}

#[derive(Serialize)]
struct Response<'a> {
    jsonrpc: &'static str,
    result: &'a RawValue,
    id: &'a RawValue,
}

async fn bare() -> std::io::Result<()> {
    let echo = |body: web::Bytes| async move {
        match serde_json::from_slice::<Request<'_>>(&body) {
            Ok(Request { params, id, method: "echo" }) => {
                HttpResponse::Ok().json(Response { jsonrpc: "2.0", result: params.value, id })
            }
            _ => HttpResponse::BadRequest().finish(),
        }
    };
    let server = HttpServer::new(move || App::new().route("/api/hello", web::post().to(echo)));
    let server = server.bind("127.0.0.1:0")?;
    if let Some(address) = server.addrs().first() {
        eprintln!("listening on http://{address}");
    }
    server.run().await
}
