use std::cell::Cell;
use std::sync::Arc;

use super::tasks::complete;
use super::*;
use crate::jobs::{Claim, Engine, NewTask, Serving, Step, TaskFilter, TaskId, TaskState, contract, records_tests};

fn opener(folder: &Path) -> Box<contract::Open> {
    let folder = folder.to_owned();
    Box::new(move |name| Ok(Arc::new(Sqlite::open(folder.join(format!("{name}.db")))?)))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    contract::all(&opener(folder.path())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_tasks_of_four_workers_are_neither_lost_nor_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let measured = contract::many_tasks(&opener(folder.path()), 10_000, 4).await.unwrap();
    println!("{measured:?}");
}

fn new(step: Step) -> NewTask {
    NewTask::new(TaskId::new("job".parse().unwrap(), step))
}

/// Interrupts a completion after each number of virtual machine steps, as a kill would.
#[tokio::test]
async fn a_completion_that_is_interrupted_anywhere_has_its_whole_effect_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let engine = Sqlite::open(&path).unwrap();
    engine.add(&[new(Step::Score)]).await.unwrap();
    let claim = Claim::new("w", vec![Serving::new("score")], Duration::from_secs(60));
    let held = engine.claim(&claim).await.unwrap().unwrap().held;
    let (mut interrupted, mut steps) = (0, 1);
    loop {
        let mut connection = connect(&path, "NORMAL").unwrap();
        let left = Cell::new(steps);
        connection
            .progress_handler(
                1,
                Some(move || {
                    left.set(left.get() - 1);
                    left.get() < 0
                }),
            )
            .unwrap();
        let answer = complete(&mut connection, &held, &[new(Step::Track(1)), new(Step::Track(2))]);
        drop(connection);
        let states: Vec<_> = Engine::list(&engine, &TaskFilter::default()).await.unwrap().iter().map(|task| task.state).collect();
        match answer {
            Ok(done) => {
                assert!(done);
                assert_eq!(states, [TaskState::Done, TaskState::Waiting, TaskState::Waiting]);
                break;
            }
            Err(error) => {
                assert_eq!(error.sqlite_error_code(), Some(ErrorCode::OperationInterrupted), "{error}");
                interrupted += 1;
                if states == [TaskState::Done, TaskState::Waiting, TaskState::Waiting] {
                    // Interrupted between the commit and the answer.
                    break;
                }
                assert_eq!(states, [TaskState::Active]);
            }
        }
        steps += 1;
    }
    assert!(interrupted > 50, "{interrupted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Sqlite::open(folder.path().join("jobs.db")).unwrap();
    let mut other = connect(engine.path(), "NORMAL").unwrap();
    let lock = begin(&mut other).unwrap();
    let add = tokio::spawn({
        let engine = engine.clone();
        async move { engine.add(&[new(Step::Fetch)]).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!add.is_finished());
    lock.commit().unwrap();
    assert_eq!(add.await.unwrap().unwrap(), 1);

    let shared = engine.shared.clone();
    shared.work.lock().unwrap().busy_timeout(Duration::from_millis(50)).unwrap();
    let lock = begin(&mut other).unwrap();
    let error = engine.claim(&Claim::new("w", vec![Serving::new("fetch")], BUSY_TIMEOUT)).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::TimedOut, &Recovery::Retry { after: None }), "{error}");
    assert!(error.to_string().contains("jobs.db"), "{error}");
    drop(lock);
}

#[tokio::test]
async fn a_full_disk_refuses_the_whole_addition_and_the_queue_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Sqlite::open(folder.path().join("jobs.db")).unwrap();
    let limit = |pages: i64| {
        let connection = engine.shared.durable.lock().unwrap();
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    };
    limit(40);
    let clips: Vec<NewTask> = (1..10_000).map(|rank| new(Step::Track(rank))).collect();
    let error = engine.add(&clips).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Io, &Recovery::Retry { after: None }), "{error}");
    assert!(Engine::list(&engine, &TaskFilter::default()).await.unwrap().is_empty());
    limit(1_000_000);
    assert_eq!(engine.add(&clips).await.unwrap(), clips.len());
}

#[test]
fn files_of_others_are_refused_with_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("text.db"), "this is not a database, however long the text is that it has").unwrap();
    let other = Connection::open(at("other.db")).unwrap();
    other.execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    drop(Sqlite::open(at("later.db")).unwrap());
    Connection::open(at("later.db")).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for (name, says) in [("text.db", "not a database"), ("other.db", "another program"), ("later.db", "version 99")] {
        let error = Sqlite::open(at(name)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(says) && error.path() == Some(&at(name)), "{error}");
    }
    assert_eq!(Sqlite::open(at("no/such/folder.db")).unwrap_err().kind(), ErrorKind::Io);
}

#[tokio::test]
async fn records_end_once_and_events_are_replayed_from_any_number() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path().join("jobs.db")).unwrap();
    records_tests::end_once_and_are_replayed(&store).await;
}
