//! The smallest program with the whole command line: its cast are the stock actors.

fn main() -> std::process::ExitCode {
    rehearsal::Cli::new(rehearsal::registry::Registry::stock()).run()
}
