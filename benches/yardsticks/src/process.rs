//! The main job as a whole process: how long it takes from its start to its end, and how much memory.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::memory::status_bytes;
use crate::peers::Failure;

/// What the whole process took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// From start to exit, in the fastest run.
    pub fastest: Duration,
    /// Most bytes resident, in the run where that was most. Read every half millisecond, so that what is taken in the
    /// last instant before the exit may be missed.
    pub peak: u64,
}

/// The program, built beside this one, and the scenario in the repository.
#[derive(Clone, Debug)]
pub struct MainJob {
    program: PathBuf,
    scenario: PathBuf,
}

impl MainJob {
    /// `None` if the program has not been built in this profile, or the scenario is not there.
    pub fn find() -> Option<Self> {
        let program = std::env::current_exe().ok()?.with_file_name("rehearsal");
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/sockshop.ron");
        (program.is_file() && scenario.is_file()).then_some(MainJob { program, scenario })
    }

    fn start(&self) -> Result<Child, Failure> {
        Command::new(&self.program)
            .arg(&self.scenario)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(Failure::runtime)
    }

    /// Runs it so many times for the time, and as many for the memory: looking at the memory takes time.
    pub fn measure(&self, rounds: usize) -> Result<Whole, Failure> {
        let mut fastest = Duration::MAX;
        let mut peak = 0;
        for _ in 0..rounds {
            let started = Instant::now();
            let status = self.start()?.wait().map_err(Failure::runtime)?;
            fastest = fastest.min(started.elapsed());
            if !status.success() {
                return Err(Failure::Runtime(format!("{}: {status}", self.scenario.display())));
            }
            let mut child = self.start()?;
            let process = child.id().to_string();
            while child.try_wait().map_err(Failure::runtime)?.is_none() {
                // Between its last instruction and our asking, the process has no memory to speak of.
                peak = peak.max(status_bytes(&process, "VmHWM").unwrap_or(0));
                std::thread::sleep(Duration::from_micros(500));
            }
        }
        Ok(Whole { fastest, peak })
    }
}
