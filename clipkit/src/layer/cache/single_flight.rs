use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use crate::context::{Context, Event};
use crate::error::{Error, ErrorKind, Result};

use crate::store::Note;

/// The result of a piece of work, for all who waited for it.
pub(super) struct Outcome<O> {
    pub(super) result: Result<O>,
    /// The warnings on the way.
    pub(super) notes: Vec<Note>,
    /// Whether a fallback's second stage answered.
    pub(super) stepped_down: bool,
}

impl<O> Outcome<O> {
    /// With the warnings of `cx`, except for the first `but`.
    pub(super) fn new(result: Result<O>, cx: &Context, but: usize, stepped_down: bool) -> Self {
        let of_the_run = |clip: Option<usize>| clip.is_none() && cx.clip().is_some();
        let notes = cx.warnings().into_iter().skip(but);
        let notes =
            notes.map(|warning| Note { kind: warning.kind, of_the_run: of_the_run(warning.clip), message: warning.message }).collect();
        Outcome { result, notes, stepped_down }
    }
}

type Work = BoxFuture<'static, Arc<dyn Any + Send + Sync>>;
/// The callers that wait for one piece of work: its progress is reported to them.
type Waiting = Arc<Mutex<Vec<(u64, Context)>>>;

/// The work that is under way, by its key. The callers that wait for it drive it; when the last of
/// them leaves, it stops.
#[derive(Default)]
pub(super) struct SingleFlight {
    under_way: Arc<Mutex<UnderWay>>,
}

#[derive(Default)]
struct UnderWay {
    flights: HashMap<String, (WeakShared<Work>, Waiting)>,
    /// The number of the next caller.
    next: u64,
}

impl SingleFlight {
    /// Waits for the work of this key, which `work` begins if it is not under way. It runs under a
    /// context of its own, since the caller that began it may leave before it is done.
    pub(super) async fn join<O, F>(&self, cx: &Context, key: &str, work: impl FnOnce(Context) -> F) -> Result<O>
    where
        O: Clone + Send + Sync + 'static,
        F: Future<Output = Outcome<O>> + Send + 'static,
    {
        let (flight, _place) = self.board(cx, key, work);
        let flown = tokio::select! {
            biased;
            () = cx.cancelled() => return Err(cx.label(Error::cancelled())),
            flown = flight => flown,
        };
        let Some(flown) = flown.downcast_ref::<Outcome<O>>() else {
            return Err(Error::new(ErrorKind::Contract, "two kinds of answers have one key"));
        };
        for note in &flown.notes {
            match note.of_the_run {
                true => cx.warn_once_of(note.kind, note.message.clone()),
                false => cx.warn_of(note.kind, note.message.clone()),
            }
        }
        if flown.stepped_down {
            cx.step_down();
        }
        flown.result.clone()
    }

    fn board<O, F>(&self, cx: &Context, key: &str, work: impl FnOnce(Context) -> F) -> (Shared<Work>, Place)
    where
        O: Send + Sync + 'static,
        F: Future<Output = Outcome<O>> + Send + 'static,
    {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let number = under_way.next;
        under_way.next += 1;
        let known = under_way.flights.get(key).and_then(|(flight, waiting)| Some((flight.upgrade()?, waiting.clone())));
        // Work that has ended is not joined: a failure is tried again, and an answer is in the
        // store.
        let (flight, waiting) = known.filter(|(flight, _)| flight.peek().is_none()).unwrap_or_else(|| {
            let waiting = Waiting::default();
            let flight = begin(cx, waiting.clone(), work);
            if let Some(weak) = flight.downgrade() {
                under_way.flights.insert(key.to_owned(), (weak, waiting.clone()));
            }
            (flight, waiting)
        });
        waiting.lock().unwrap_or_else(PoisonError::into_inner).push((number, cx.clone()));
        (flight, Place { number, key: key.to_owned(), waiting, under_way: self.under_way.clone() })
    }
}

fn begin<O, F>(cx: &Context, waiting: Waiting, work: impl FnOnce(Context) -> F) -> Shared<Work>
where
    O: Send + Sync + 'static,
    F: Future<Output = Outcome<O>> + Send + 'static,
{
    let apart = cx.apart(move |event| tell(&waiting, event));
    let stop = StopOnDrop(apart.clone());
    let work = work(apart);
    let flight: Work = Box::pin(async move {
        let _stop = stop;
        Arc::new(work.await) as Arc<dyn Any + Send + Sync>
    });
    flight.shared()
}

/// Passes events of the work on to all callers. Warnings are passed on at its end, since they are
/// kept with the answer.
fn tell(waiting: &Waiting, event: &Event) {
    let hearers: Vec<Context> = waiting.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(_, hearer)| hearer.clone()).collect();
    for hearer in hearers {
        match (event, hearer.stage()) {
            (Event::Progress { fraction, .. }, _) => hearer.progress(f64::from(*fraction)),
            (Event::Waiting { seconds, reason, .. }, Some(stage)) => {
                hearer.emit(&Event::Waiting { stage, clip: hearer.clip(), seconds: *seconds, reason: reason.clone() });
            }
            _ => {}
        }
    }
}

/// Stops threads that still work when nobody waits any more.
struct StopOnDrop(Context);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
        self.0.clear_scratch();
    }
}

/// A caller's place among those that wait. The last to leave removes the work from the list.
struct Place {
    number: u64,
    key: String,
    waiting: Waiting,
    under_way: Arc<Mutex<UnderWay>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let left = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.retain(|(number, _)| *number != self.number);
            waiting.is_empty()
        };
        let is_mine = |listed: &Waiting| Arc::ptr_eq(listed, &self.waiting);
        if left && under_way.flights.get(&self.key).is_some_and(|(_, waiting)| is_mine(waiting)) {
            under_way.flights.remove(&self.key);
        }
    }
}

impl fmt::Debug for SingleFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight").finish_non_exhaustive()
    }
}
