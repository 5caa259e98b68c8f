//! Services that live outside, as the tests need them: those that answer, and those that do not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

/// What becomes of a request.
#[derive(Clone, Copy)]
pub enum Manner {
    /// The result of the call is its parameters.
    Echoes,
    /// It is read, and that is all.
    Hangs,
    /// Bytes come back, but no HTTP.
    Babbles,
    /// HTTP comes back, with a body that is no JSON.
    Mumbles,
    /// These bytes come back.
    Says(&'static str),
}

/// Somebody outside, as long as the test goes on.
pub struct Outsider {
    address: SocketAddr,
    heard: Arc<AtomicUsize>,
}

impl Outsider {
    pub fn who(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it has an address");
        let heard = Arc::new(AtomicUsize::new(0));
        let counted = heard.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let counted = counted.clone();
                // Whoever asked may be gone before the answer.
                std::thread::spawn(move || drop(converse(stream, manner, &counted)));
            }
        });
        Outsider { address, heard }
    }

    pub fn url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// How many requests have come.
    pub fn heard(&self) -> usize {
        self.heard.load(Ordering::Relaxed)
    }
}

fn converse(stream: TcpStream, manner: Manner, counted: &AtomicUsize) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(body) = read(&mut stream)? {
        counted.fetch_add(1, Ordering::Relaxed);
        let answer = match manner {
            Manner::Echoes => {
                let call: Value = serde_json::from_slice(&body)?;
                let answer = json!({ "jsonrpc": "2.0", "result": call["params"], "id": call["id"] }).to_string();
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len())
            }
            Manner::Hangs => continue,
            Manner::Babbles => return stream.get_mut().write_all(b"what a fine day it is\r\n\r\n"),
            Manner::Says(answer) => answer.to_owned(),
            Manner::Mumbles => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello".to_owned(),
        };
        stream.get_mut().write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// The body of the next request.
fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Vec<u8>>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(said) = line.strip_prefix("content-length:") {
            length = said.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(body))
}
