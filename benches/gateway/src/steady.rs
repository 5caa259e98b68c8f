//! Requests at a steady rate over connections that are kept open, and how long each took from when it was
//! due.

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::REQUEST;

const CONNECTIONS: u32 = 16;

/// What came of a run.
pub(crate) struct Run {
    took: Histogram<u64>,
    errors: u64,
}

impl Run {
    pub(crate) fn percentile_ms(&self, percentile: f64) -> f64 {
        self.took.value_at_percentile(percentile) as f64 / 1e6
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, max] = [50.0, 99.0, 100.0].map(|percentile| self.percentile_ms(percentile));
        let (count, errors) = (self.took.len(), self.errors);
        write!(f, "{count} answers, {errors} errors; p50 {p50:.3} ms, p99 {p99:.3} ms, max {max:.3} ms")
    }
}

/// Whether the right answer comes.
pub(crate) fn check(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let body = Connection::open(address)?.ask()?;
    let answer: serde_json::Value = serde_json::from_slice(&body)?;
    match answer["result"]["n"] == 42 && answer["id"] == 1 {
        true => Ok(()),
        false => Err(format!("{address} does not echo: {answer}").into()),
    }
}

/// `at_minute` is told once a minute how long it has been going on.
pub(crate) fn run(
    address: SocketAddr,
    rate: f64,
    length: Duration,
    at_minute: impl Fn(Duration),
) -> Result<Run, Box<dyn Error>> {
    let began = Instant::now();
    let pause = Duration::from_secs_f64(f64::from(CONNECTIONS) / rate);
    let ask = move |number: u32| {
        let mut took = Histogram::<u64>::new(3)?;
        let mut errors = 0;
        let mut connection = Connection::open(address)?;
        let mut due = began + pause * number / CONNECTIONS;
        while due < began + length {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            match connection.ask() {
                Ok(_) => took.record(due.elapsed().as_nanos() as u64)?,
                Err(_) => {
                    errors += 1;
                    connection = Connection::open(address)?;
                }
            }
            due += pause;
        }
        Ok::<_, Box<dyn Error + Send + Sync>>((took, errors))
    };
    let asking: Vec<_> = (0..CONNECTIONS).map(|number| thread::spawn(move || ask(number))).collect();
    let mut next = Duration::from_secs(60);
    while next <= length {
        thread::sleep((began + next).saturating_duration_since(Instant::now()));
        at_minute(next);
        next += Duration::from_secs(60);
    }
    let mut all = Run { took: Histogram::new(3)?, errors: 0 };
    for thread in asking {
        let (took, errors) = thread.join().map_err(|_| "a thread panicked")?.map_err(|error| error.to_string())?;
        all.took.add(&took)?;
        all.errors += errors;
    }
    Ok(all)
}

struct Connection {
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
}

impl Connection {
    fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let head = format!(
            "POST /api/hello HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            REQUEST.len()
        );
        Ok(Connection { stream: BufReader::new(stream), request: [head.as_bytes(), REQUEST.as_bytes()].concat() })
    }

    /// The body of the answer, if it is a good one.
    fn ask(&mut self) -> io::Result<Vec<u8>> {
        self.stream.get_mut().write_all(&self.request)?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        if !line.starts_with("HTTP/1.1 200") {
            return Err(io::Error::other(line));
        }
        let mut len = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                len = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; len];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }
}
