//! `rehearsal manual`: the help as manual pages.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap_mangen::Man;

use super::arguments::{self, client::Manual};
use super::complaint::Complaint;
use super::console;
use super::trouble::Trouble;

pub(super) fn manual(arguments: &Manual, program: &str) -> Result<ExitCode, Complaint> {
    // Built, commands know which program they belong to.
    let mut whole = arguments::command(program).name(program.to_owned()).disable_help_subcommand(true);
    whole.build();
    if let Some(folder) = &arguments.into {
        return write_all(whole, folder);
    }
    let chosen = match &arguments.command {
        None => whole,
        Some(name) => {
            let found = whole.find_subcommand(name).cloned();
            found.ok_or_else(|| Complaint::Client(Trouble::NoCommand(name.clone())))?
        }
    };
    console::say_bytes(&page(chosen)?)?;
    Ok(ExitCode::SUCCESS)
}

fn page(command: clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let source = concat!("Rehearsal ", env!("CARGO_PKG_VERSION"));
    Man::new(command).title(name.to_uppercase()).source(source).render(&mut page)?;
    Ok(page)
}

/// One file a command, named as `man` looks for it.
fn write_all(whole: clap::Command, folder: &Path) -> Result<ExitCode, Complaint> {
    let unwritable = |what: &Path| {
        let what = format!("cannot write {}", what.display());
        move |cause| Complaint::Client(Trouble::Unwritable { what, cause })
    };
    fs::create_dir_all(folder).map_err(unwritable(folder))?;
    let commands: Vec<clap::Command> = whole.get_subcommands().cloned().collect();
    for command in std::iter::once(whole).chain(commands) {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        let path = folder.join(format!("{name}.1"));
        fs::write(&path, page(command)?).map_err(unwritable(&path))?;
    }
    Ok(ExitCode::SUCCESS)
}
