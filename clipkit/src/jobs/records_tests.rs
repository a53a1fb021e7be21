//! What all stores of records have in common.

use std::time::SystemTime;

use super::{Job, JobEnd, JobEvent, JobFilter, JobId, JobMilestone, JobRecord, JobState, NewEvent, Records};

/// Records end once, and events are replayed from any number.
pub(super) async fn end_once_and_are_replayed(store: &impl Records) {
    let id: JobId = "a".parse().unwrap();
    let mut job = Job::new("talk.mp4");
    job.user = "ann".into();
    let record = JobRecord { id: id.clone(), job, created: Some(SystemTime::UNIX_EPOCH), end: None };
    assert!(store.create(&record).await.unwrap() && !store.create(&record).await.unwrap());
    assert_eq!(store.get(&id).await.unwrap(), Some(record));
    let open = store.open_jobs("bob").await.unwrap();
    assert_eq!((open.all, open.of_user), (1, 0));

    let ended = |clips| NewEvent::Job(JobMilestone::Ended { state: JobState::Done, clips });
    store.append(&id, &[ended(1), ended(2)]).await.unwrap();
    store.append(&id, &[ended(3)]).await.unwrap();
    let clips = |events: Vec<JobEvent>| events.iter().map(|event| (event.number, event.event["clips"].clone())).collect::<Vec<_>>();
    assert_eq!(clips(store.events(&id, 1, 10).await.unwrap()), [(2, 2.into()), (3, 3.into())]);
    assert_eq!(clips(store.events(&id, 0, 1).await.unwrap()), [(1, 1.into())]);

    let end = JobEnd::new(JobState::Cancelled, None, None);
    assert!(store.end(&id, Some(&end)).await.unwrap() && !store.end(&id, Some(&end)).await.unwrap());
    let over = JobFilter { open: Some(false), ..JobFilter::default() };
    assert_eq!(store.list(&over).await.unwrap().len(), 1);
    assert!(store.end(&id, None).await.unwrap());
    assert!(store.list(&over).await.unwrap().is_empty());
    assert!(store.remove(&id).await.unwrap());
    store.append(&id, &[ended(4)]).await.unwrap();
    assert!(store.events(&id, 0, 10).await.unwrap().is_empty() && store.get(&id).await.unwrap().is_none());
}
