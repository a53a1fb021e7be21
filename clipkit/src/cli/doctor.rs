//! `clipkit doctor`: lists what clipkit can use and whether it is on this machine.

use clipkit::{Check, CheckStatus, Environment};

use super::Done;
use super::args::DoctorArgs;
use super::output::{say, write_json};

pub(crate) fn run(args: &DoctorArgs) -> Done {
    let diagnosis = clipkit::doctor(&Environment::from_process());
    if args.json {
        return write_json(None, &diagnosis);
    }
    say(&format!("clipkit {}", diagnosis.version));
    diagnosis.checks.iter().for_each(show);
    Ok(())
}

fn show(check: &Check) {
    let status = match check.status {
        CheckStatus::Present => "ok",
        CheckStatus::Old => "old",
        _ => "missing",
    };
    let path = check.path.as_ref().map(|path| path.display().to_string());
    let found = [check.found.clone(), path].into_iter().flatten().collect::<Vec<_>>().join(", ");
    say(format!("{status:8} {:38} {found}", check.name).trim_end());
    for line in [&check.cost, &check.advice].into_iter().flatten() {
        say(&format!("{:8} {:38} {line}", "", ""));
    }
}
