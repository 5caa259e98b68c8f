//! The pages in `docs/`: every command on them is run, and prints what stands there.
//!
//! A block marked `sh serve` starts a server, which the blocks after it speak to; `sh` and `js` blocks are
//! run, and what they print is held against the `text` block behind them, in which `…` stands for anything.
//! The page of the interface, [`api`], is what a gateway says. Needs curl and node.

mod api;
mod shapes;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Where servers listen on the pages.
const ON_THE_PAGE: &str = "127.0.0.1:8080";

/// A block of a page.
struct Block {
    line: usize,
    kind: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else { continue };
        let text: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        blocks.push(Block { line: number + 1, kind: kind.to_owned(), text: text.join("\n") });
    }
    blocks
}

/// A server that a page has started. Dropped, it is ended.
struct Served {
    process: Child,
    address: String,
}

impl Served {
    /// Starts it on a free port. Returns what it says first, as if it listened where the page has it.
    fn start(command: &str) -> (Self, String) {
        let arguments = command.strip_prefix("rehearsal ").expect("pages serve with rehearsal").split_whitespace();
        let mut process = Command::new(env!("CARGO_BIN_EXE_rehearsal"))
            .args(arguments)
            .args(["--listen", "127.0.0.1:0"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut said).unwrap();
        let address = said.split("http://").nth(1).and_then(|rest| rest.split(',').next());
        let address = address.unwrap_or_else(|| panic!("{command} said: {said}")).to_owned();
        let said = said.replace(&address, ON_THE_PAGE);
        (Served { process, address }, said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a program on a text, and returns all that it prints.
fn output(program: &str, arguments: &[&str], served: &Served, folder: &Path) -> String {
    let ours = Path::new(env!("CARGO_BIN_EXE_rehearsal")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", ours.display()))
        .env("REHEARSAL_GATEWAY", format!("http://{}", served.address))
        .env("LC_ALL", "C")
        .env_remove("REHEARSAL_TOKEN")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("this test needs `{program}`: {error}"));
    let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{program} {arguments:?} failed:\n{told}");
    told.replace(&served.address, ON_THE_PAGE)
}

/// Whether a text is what was expected, with `…` for anything.
fn fits(expected: &str, text: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Lines without what stands at their ends, which editors take away from pages.
fn trimmed(text: &str) -> String {
    text.trim().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn hold(page: &str) {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let folder = TempDir::new().unwrap();
    let mut served: Option<Served> = None;
    let mut told = None;
    let mut commands = 0;
    for Block { line, kind, text } in blocks(&text) {
        let server = || served.as_ref().unwrap_or_else(|| panic!("{page}:{line}: nothing is served yet"));
        match kind.as_str() {
            "sh serve" => {
                drop(served.take());
                let (started, said) = Served::start(&text);
                (served, told) = (Some(started), Some(said));
            }
            "sh" => {
                let text = text.replace(ON_THE_PAGE, &server().address);
                told = Some(output("sh", &["-euc", &format!("exec 2>&1\n{text}")], server(), folder.path()));
            }
            "js" => {
                let script = folder.path().join("page.mjs");
                fs::write(&script, text.replace(ON_THE_PAGE, &server().address)).unwrap();
                told = Some(output("node", &[script.to_str().unwrap()], server(), folder.path()));
            }
            "text" => {
                let told = told.take().unwrap_or_else(|| panic!("{page}:{line}: nothing was run before this"));
                assert!(fits(&trimmed(&text), &trimmed(&told)), "{page}:{line}: not what is printed:\n{told}");
            }
            _ => continue,
        }
        commands += usize::from(kind != "text");
    }
    assert!(commands > 0, "{page} has no commands");
}

#[test]
fn the_walk_in_and_out_is_as_it_stands_there() {
    hold("docs/outside.md");
}

#[test]
fn dots_stand_for_anything() {
    assert!(fits("a … c", "a b c") && fits("…", "") && fits("a…", "abc") && fits("abc", "abc"));
    assert!(!fits("a … c", "a b d") && !fits("abc", "abcd") && !fits("a…c…e", "a e") && !fits("…b", "a"));
}
