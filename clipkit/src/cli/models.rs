//! `clipkit models`: lists, downloads and finds models.

use clipkit::weights::{Weights, WeightsStore};
use clipkit::{Error, ErrorKind};

use super::args::{ModelsArgs, ModelsCommand};
use super::interrupt::Interrupt;
use super::output::{note, say};
use super::{Done, limits};

pub(crate) async fn run(args: ModelsArgs, interrupt: &Interrupt) -> Done {
    let store = WeightsStore::new();
    match args.command {
        ModelsCommand::List => {
            for model in Weights::all() {
                let place = store.find(model).map_or("not here; clipkit models fetch".to_owned(), |path| path.display().to_string());
                say(&format!(
                    "{:20} {:7.2} MB  {:10}  {}\n{:20} {place}",
                    model.id,
                    model.size() as f64 / 1e6,
                    model.license,
                    model.about,
                    ""
                ));
            }
        }
        ModelsCommand::Fetch { names } => {
            let cx = limits::builder().build();
            let names = if names.is_empty() { vec![Weights::DEFAULT_FACE_DETECTOR.to_owned()] } else { names };
            for name in names {
                let model = Weights::by_id(&name)?;
                if store.find(model).is_none() {
                    note(&format!("downloading {} ({:.1} MB, {}) ...", model.id, model.size() as f64 / 1e6, model.license));
                }
                let path = interrupt.guard(&cx, store.fetch(&cx, model)).await?;
                say(&path.display().to_string());
            }
        }
        ModelsCommand::Path { name } => {
            let model = Weights::by_id(name.as_deref().unwrap_or(Weights::DEFAULT_FACE_DETECTOR))?;
            let path = store.find(model).ok_or_else(|| {
                Error::new(ErrorKind::NotFound, format!("the model {} is not on this machine", model.id))
                    .with_advice(format!("clipkit models fetch {}", model.id))
            })?;
            say(&path.display().to_string());
        }
    }
    Ok(())
}
