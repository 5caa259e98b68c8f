//! A small HTTP server that does whatever a test wants it to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A request that has come.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of that name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// What is done about it.
pub enum Deed {
    /// An answer as it should be.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// These bytes, whatever they are; then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes one after the other, so much time apart; then the connection is closed.
    Drip(Vec<u8>, Duration),
    /// Pieces of a stream, so much time apart; then it ends as it should.
    Stream(Vec<String>, Duration),
    /// Nothing, for so long.
    Silence(Duration),
    /// Zeros without end, after a head that promises so.
    Endless,
}

impl Deed {
    pub fn json(body: &Value) -> Deed {
        Deed::with_status(200, body)
    }

    pub fn with_status(status: u16, body: &Value) -> Deed {
        Deed::Answer { status, headers: vec![("Content-Type", "application/json".to_owned())], body: body.to_string() }
    }
}

/// A server on a port of its own, for as long as it is held.
pub struct Stub {
    address: std::net::SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Stub {
    /// Does for each request what `deed` says.
    pub fn start(deed: impl Fn(&Request) -> Deed + Send + Sync + 'static) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stub = Stub { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let (deed, seen) = (Arc::new(deed), Arc::clone(&stub.seen));
        // It ends with the test's process.
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (deed, seen) = (Arc::clone(&deed), Arc::clone(&seen));
                // A client that goes away in the middle is what some tests are about.
                thread::spawn(move || serve(connection, &*deed, &seen));
            }
        });
        stub
    }

    /// A server that closes every connection with what was sent to it unread, which resets it.
    pub fn start_resetting() -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stub = Stub { address: listener.local_addr().unwrap(), seen: Arc::default() };
        thread::spawn(move || {
            for mut connection in listener.incoming().map_while(Result::ok) {
                let _ = connection.read(&mut [0; 1]);
            }
        });
        stub
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn api(&self) -> String {
        format!("{}/api", self.url())
    }

    /// Everything that has come so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

/// A URL where nobody listens.
pub fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/api", listener.local_addr().unwrap())
}

fn serve(connection: TcpStream, deed: &dyn Fn(&Request) -> Deed, seen: &Mutex<Vec<Request>>) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection);
    while let Some(request) = read_request(&mut reader)? {
        seen.lock().unwrap().push(request.clone());
        let out = reader.get_mut();
        match deed(&request) {
            Deed::Answer { status, headers, body } => {
                let mut head = format!("HTTP/1.1 {status} Whatever\r\n");
                for (name, value) in headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                if status != 204 {
                    head.push_str(&format!("Content-Length: {}\r\n", body.len()));
                }
                out.write_all(format!("{head}\r\n{body}").as_bytes())?;
            }
            Deed::Raw(bytes) => {
                out.write_all(&bytes)?;
                return out.shutdown(Shutdown::Both);
            }
            Deed::Drip(bytes, pause) => {
                for byte in bytes {
                    out.write_all(&[byte])?;
                    thread::sleep(pause);
                }
                return out.shutdown(Shutdown::Both);
            }
            Deed::Stream(pieces, pause) => {
                out.write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
                )?;
                for piece in pieces {
                    out.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes())?;
                    thread::sleep(pause);
                }
                out.write_all(b"0\r\n\r\n")?;
            }
            Deed::Silence(length) => {
                thread::sleep(length);
                return Ok(());
            }
            Deed::Endless => {
                out.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                loop {
                    out.write_all(format!("2000\r\n{}\r\n", "0".repeat(0x2000)).as_bytes())?;
                }
            }
        }
    }
    Ok(())
}

fn read_request(reader: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (method, path) = (word(), word());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { method, path, headers, body }))
}
