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

#[test]
fn file_names_are_plain_short_and_numbered() {
    assert!(is_plain("01-a.mp4") && !is_plain("../a") && !is_plain("/etc/passwd") && !is_plain(".."));
}
