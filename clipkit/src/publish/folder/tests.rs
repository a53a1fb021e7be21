use super::*;
use crate::model::{ContentId, MediaRef, Output, PlanSource, PostFiles, Rect, Scene, Score, Span, Timestamp};
use crate::model::{Crop, FrameRate, Layout};

fn plan(id: &str, start: f64, title: &str) -> ClipPlan {
    let span = Span::secs(start, start + 20.0).unwrap();
    let media = MediaRef::new("talk.mp4", ContentId::new("none", id));
    let source = PlanSource::new(media, 1920, 1080, Timestamp::from_secs(300.0));
    let scene = Scene { span: span.since(span.start()), layout: Layout::Fill { crop: Crop::still(Rect::FULL) } };
    let output = Output::h264(1080, 1920, FrameRate::new(30, 1));
    ClipPlan::new(source, span, title, Score::default(), vec![scene], output)
}

/// A post whose files are in `desk`.
fn post(desk: &Path, rank: usize, plan: &ClipPlan, video: &str) -> Post {
    let (file, text) = (desk.join(format!("{rank}.mp4")), desk.join(format!("{rank}.json")));
    fs::write(&file, video).unwrap();
    fs::write(&text, plan.to_json().unwrap()).unwrap();
    let mut files = PostFiles::new(file);
    files.plan = Some(text);
    Post::new(rank, plan, files)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn listed(folder: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(folder.join(MANIFEST)).unwrap();
    let manifest: Manifest = serde_json::from_str(&text).unwrap();
    manifest.clips.into_iter().map(|clip| (clip.rank, clip.file)).collect()
}

#[tokio::test]
async fn the_same_post_twice_is_one_publication_and_its_files_stay_where_they_are() {
    let (desk, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cx, folder) = (Context::new(), Folder::new(out.path()));
    let plan = plan("a", 10.0, "Why");
    let post = post(desk.path(), 1, &plan, "video");
    let first = folder.publish(&cx, &post).await.unwrap();
    let second = folder.publish(&cx, &post).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(names(out.path()), ["01-why.mp4", "01-why.plan.json", "clips.json"]);
    assert_eq!(names(desk.path()), ["1.json", "1.mp4"]);
    assert_eq!(listed(out.path()), [(1, "01-why.mp4".to_owned())]);
    assert!(first.published_at.is_some() && first.id == "01-why.mp4");
}

#[tokio::test]
async fn a_clip_under_another_rank_and_title_replaces_itself() {
    let (desk, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cx, folder) = (Context::new(), Folder::new(out.path()));
    folder.publish(&cx, &post(desk.path(), 1, &plan("a", 10.0, "Why"), "video")).await.unwrap();
    folder.publish(&cx, &post(desk.path(), 3, &plan("a", 10.0, "Because"), "video")).await.unwrap();
    folder.publish(&cx, &post(desk.path(), 1, &plan("a", 50.0, "Other"), "other")).await.unwrap();
    assert_eq!(listed(out.path()), [(1, "01-other.mp4".to_owned()), (3, "03-because.mp4".to_owned())]);
    let expected = ["01-other.mp4", "01-other.plan.json", "03-because.mp4", "03-because.plan.json", "clips.json"];
    assert_eq!(names(out.path()), expected);
}

#[test]
fn several_publishers_into_one_folder_lose_no_entry() {
    let (desk, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::thread::scope(|scope| {
        for rank in 1..=8 {
            let (desk, folder) = (desk.path(), Folder::new(out.path()));
            scope.spawn(move || {
                let plan = plan("a", rank as f64 * 30.0, "Clip");
                folder.put(&Context::new(), &post(desk, rank, &plan, "video")).unwrap()
            });
        }
    });
    assert_eq!(listed(out.path()).iter().map(|(rank, _)| *rank).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
}

#[tokio::test]
async fn clips_made_again_stand_beside_the_others_of_their_video() {
    let (desk, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cx, folder) = (Context::new(), Folder::new(root.path()));
    let clip = |rank, start, title: &str| {
        ManifestClip::published(rank, &plan("a", start, title), title, vec![Receipt::new(TARGET, format!("{rank:02}-{title}.mp4"))])
    };
    let manifest = |id: &str, clips: Vec<ManifestClip>| Manifest { clips, ..Manifest::new(plan(id, 0.0, "").source) };
    let files = || listed(root.path()).into_iter().map(|(_, file)| file).collect::<Vec<_>>();
    let earlier = vec![clip(1, 10.0, "a"), clip(2, 40.0, "b"), clip(3, 70.0, "c")];
    folder.conclude(&cx, &manifest("a", earlier)).await.unwrap();
    fs::write(root.path().join("01-a.mp4"), "x").unwrap();
    fs::write(root.path().join("02-b.mp4"), "x").unwrap();
    let again = manifest("a", vec![clip(2, 41.0, "new")]);
    folder.clone().keep_others().conclude(&cx, &again).await.unwrap();
    assert_eq!(files(), ["01-a.mp4", "02-new.mp4"]);
    folder.clone().keep_others().conclude(&cx, &manifest("other", vec![clip(2, 41.0, "new")])).await.unwrap();
    assert_eq!(files(), ["02-new.mp4"]);
    let _ = desk;
}

/// Publishes clips of the video `id` and concludes, as a run does. Returns the warnings.
async fn run(folder: &Folder, desk: &Path, id: &str, clips: &[(f64, &str)]) -> Vec<String> {
    let cx = Context::new();
    let mut manifest = Manifest::new(plan(id, 0.0, "").source);
    for (rank, (start, title)) in (1..).zip(clips) {
        let plan = plan(id, *start, title);
        let receipt = folder.publish(&cx, &post(desk, rank, &plan, title)).await.unwrap();
        manifest.clips.push(ManifestClip::published(rank, &plan, title, vec![receipt]));
    }
    folder.conclude(&cx, &manifest).await.unwrap();
    let written: Manifest = serde_json::from_str(&fs::read_to_string(folder.path.join(MANIFEST)).unwrap()).unwrap();
    let said: Vec<String> = cx.warnings().into_iter().map(|warning| warning.message).collect();
    assert!(written.warnings.iter().all(|warning| said.contains(&warning.message)), "{said:?}");
    said
}

#[tokio::test]
async fn a_run_with_fewer_clips_removes_the_files_of_the_others() {
    let (desk, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (desk, folder) = (desk.path(), Folder::new(out.path()));
    run(&folder, desk, "a", &[(10.0, "a"), (40.0, "b"), (70.0, "c")]).await;
    fs::write(out.path().join("04-mine.mp4"), "a file of somebody").unwrap();
    assert_eq!(run(&folder, desk, "a", &[(10.0, "a")]).await, Vec::<String>::new());
    assert_eq!(names(out.path()), ["01-a.mp4", "01-a.plan.json", "04-mine.mp4", "clips.json"]);
    // Other clips at the same ranks.
    assert_eq!(run(&folder, desk, "a", &[(50.0, "new"), (10.0, "a")]).await, Vec::<String>::new());
    let expected = ["01-new.mp4", "01-new.plan.json", "02-a.mp4", "02-a.plan.json", "04-mine.mp4", "clips.json"];
    assert_eq!(names(out.path()), expected);
}

#[tokio::test]
async fn changed_files_and_those_without_a_record_stay_and_are_named() {
    let (desk, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (desk, folder) = (desk.path(), Folder::new(out.path()));
    run(&folder, desk, "a", &[(10.0, "a"), (40.0, "b"), (70.0, "c")]).await;
    // The same size, other content.
    fs::write(out.path().join("02-b.mp4"), "B").unwrap();
    let manifest = out.path().join(MANIFEST);
    let mut text: serde_json::Value = serde_json::from_str(&fs::read_to_string(&manifest).unwrap()).unwrap();
    text["clips"][2]["receipts"][0].as_object_mut().unwrap().remove("resume").unwrap();
    fs::write(&manifest, text.to_string()).unwrap();
    let said = run(&folder, desk, "a", &[(10.0, "a")]).await;
    assert_eq!(names(out.path()), ["01-a.mp4", "01-a.plan.json", "02-b.mp4", "03-c.mp4", "03-c.plan.json", "clips.json"]);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("3 files") && said[0].contains("02-b.mp4 (changed") && said[0].contains("03-c.plan.json"), "{said:?}");
}

#[tokio::test]
async fn a_manifest_cannot_make_a_run_remove_files_that_are_not_clips() {
    let (desk, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let out = root.path().join("out");
    let folder = Folder::new(&out);
    run(&folder, desk.path(), "a", &[(10.0, "a"), (40.0, "b")]).await;
    fs::write(root.path().join("secret"), "b").unwrap();
    let record = fs::read_to_string(out.join(MANIFEST)).unwrap();
    fs::write(out.join(MANIFEST), record.replace("02-b.mp4", "../secret")).unwrap();
    run(&folder, desk.path(), "a", &[(10.0, "a")]).await;
    assert!(root.path().join("secret").exists());
    assert_eq!(names(&out), ["01-a.mp4", "01-a.plan.json", "02-b.mp4", "clips.json"]);
}

#[tokio::test]
async fn files_of_another_video_and_of_failed_clips_stay() {
    let (desk, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (desk, folder) = (desk.path(), Folder::new(out.path()));
    run(&folder, desk, "a", &[(10.0, "a"), (40.0, "b")]).await;
    let said = run(&folder, desk, "other", &[(10.0, "x")]).await;
    assert!(said.len() == 1 && said[0].contains("another video") && said[0].contains("02-b.mp4"), "{said:?}");
    assert!(out.path().join("02-b.mp4").exists());

    run(&folder, desk, "other", &[(10.0, "x"), (40.0, "y")]).await;
    let cx = Context::new();
    let mut manifest = Manifest::new(plan("other", 0.0, "").source);
    let report = Error::new(ErrorKind::Encode, "no").report();
    manifest.failed.push(crate::model::FailedClip::new(2, Span::secs(41.0, 60.0).unwrap(), "y", report));
    folder.conclude(&cx, &manifest).await.unwrap();
    assert!(!out.path().join("01-x.mp4").exists() && out.path().join("02-y.mp4").exists());
    assert!(cx.warnings()[0].message.contains("could not be made anew"), "{:?}", cx.warnings());
}

#[test]
fn file_names_are_plain_short_and_numbered() {
    assert!(is_plain("01-a.mp4") && !is_plain("../a") && !is_plain("/etc/passwd") && !is_plain(".."));
}
