//! `clipkit export`: plans as captions for players and timelines for editors.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clipkit::model::ClipPlan;
use clipkit::plan::export::ExportOptions;
use clipkit::{Context, Error, Result, stage};

use super::args::ExportArgs;
use super::interrupt::Interrupt;
use super::output::{say, warn_all, write_bytes};
use super::{Done, limits, plans, usage};

pub(crate) async fn run(args: ExportArgs, interrupt: &Interrupt) -> Done {
    let all = args.plans.iter().map(|path| plans::read(path)).collect::<Result<Vec<_>>>()?;
    if all.len() > 1 && args.output.is_none() && args.out.is_none() {
        return Err(usage(format!("{} plans need a place", all.len()))
            .with_advice("give a folder for a file of each with --out, or the one file in which they follow each other with -o"));
    }
    let cx = limits::builder().build();
    let result = interrupt.guard(&cx, write(&cx, &args, &all)).await;
    warn_all(&cx.warnings());
    result
}

async fn write(cx: &Context, args: &ExportArgs, plans: &[ClipPlan]) -> Result<()> {
    let Some(folder) = &args.out else {
        let to = args.output.as_deref().filter(|path| *path != Path::new("-"));
        let folder = to.and_then(Path::parent).unwrap_or(Path::new(""));
        let text = stage::export(cx, plans, args.format, &options(args, folder)).await?;
        return write_bytes(to, text.as_bytes());
    };
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, "make the folder", error))?;
    let names = names(&args.plans, args.format.extension())?;
    // All are made before the first is written.
    let mut texts = Vec::with_capacity(plans.len());
    for (plan, path) in plans.iter().zip(&args.plans) {
        let text = stage::export(cx, std::slice::from_ref(plan), args.format, &options(args, folder)).await;
        texts.push(text.map_err(|error| error.with_path(path))?);
    }
    for (text, name) in texts.iter().zip(names) {
        let path = folder.join(name);
        write_bytes(Some(&path), text.as_bytes())?;
        say(&format!("{}", path.display()));
    }
    Ok(())
}

fn options(args: &ExportArgs, folder: &Path) -> ExportOptions {
    let mut options = ExportOptions::default();
    options.name.clone_from(&args.name);
    options.start = args.start;
    options.relative_to = args.relative.then(|| folder.to_owned());
    (options.captions, options.markers) = (!args.no_captions, !args.no_markers);
    options
}

/// The names of the files: `03-why.plan.json` becomes `03-why.otio`.
fn names(plans: &[PathBuf], extension: &str) -> Result<Vec<String>> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::with_capacity(plans.len());
    for path in plans {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stem = name.strip_suffix(".json").unwrap_or(&name);
        let name = format!("{}.{extension}", stem.strip_suffix(".plan").unwrap_or(stem));
        if !taken.insert(name.clone()) {
            return Err(usage(format!("two plans would be written to {name}"))
                .with_path(path)
                .with_advice("write them to different folders, or to one file with -o"));
        }
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_their_plans() {
        let paths = ["a/03-why.plan.json", "b.json", "c"].map(PathBuf::from);
        assert_eq!(names(&paths, "xml").unwrap(), ["03-why.xml", "b.xml", "c.xml"]);
        assert!(names(&["a/x.plan.json", "b/x.plan.json"].map(PathBuf::from), "srt").is_err());
    }
}
