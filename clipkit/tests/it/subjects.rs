//! Topics, genres and languages of clips, and the cost of a run with all of them.

use crate::support::with;
use std::sync::Arc;
use std::time::Duration;

use clipkit::model::{Candidate, Stage, Transcript, Usage};
use clipkit::stage::{Genre, Heuristic, ScoreOptions, Scorer, Scoring};
use clipkit::{ClipOptions, Context, ErrorKind};

use crate::fakes::{Fake, candidate};
use crate::words::{CLOCKS, made_talk};

async fn choose(transcript: &Transcript, options: ScoreOptions) -> (Vec<Candidate>, Vec<String>) {
    let cx = Context::new();
    let scoring = with(Scoring::new(transcript.clone()), |it| it.options = options);
    let clips = Heuristic::default().score(&cx, &scoring).await.unwrap();
    (clips, cx.warnings().into_iter().map(|warning| warning.message).collect())
}

fn said(transcript: &Transcript, clip: &Candidate) -> String {
    transcript.words_in(clip.span).iter().map(|word| word.text.to_lowercase()).collect::<Vec<_>>().join(" ")
}

/// The talk about clocks, with one part about money.
fn talk_with_money() -> Transcript {
    const MONEY: &str = "Why did we triple our prices in one night? We priced the product like coffee, and nobody took it seriously. A customer told me the \
        truth. She said a cheap tool is a dangerous tool. So we changed the pricing that evening. Sales doubled in nine days! The biggest \
        mistake of my life was fear.";
    let mut transcript = made_talk(CLOCKS, 2.7, 200.0);
    let from = transcript.words.last().unwrap().end.plus(1.0);
    for part in [made_talk(MONEY, 2.7, 20.0), made_talk(CLOCKS, 2.7, 200.0)] {
        let at = transcript.words.last().unwrap().end.plus(1.0).max(from);
        transcript.words.extend(part.words.into_iter().map(|word| {
            with(word, |it| {
                it.start = it.start.offset(at);
                it.end = it.end.offset(at);
            })
        }));
    }
    transcript.language = Some("en".into());
    transcript
}

#[tokio::test]
async fn clips_are_about_what_is_asked_for_in_any_of_its_forms() {
    let transcript = talk_with_money();
    let about = |subject: &str| with(ScoreOptions::default(), |it| it.about = vec![subject.into()]);
    let (clips, warnings) = choose(&transcript, about("pricing")).await;
    assert!(!clips.is_empty() && clips.len() <= 2 && warnings.is_empty(), "{} clips, {warnings:?}", clips.len());
    assert!(clips.iter().all(|clip| said(&transcript, clip).contains("pric")), "{clips:?}");
    let (clips, warnings) = choose(&transcript, about("astronomy")).await;
    assert!(clips.len() >= 8 && warnings[0].contains("no span mentions astronomy"), "{warnings:?}");
}

#[tokio::test]
async fn clips_keep_clear_of_what_is_to_be_avoided() {
    let transcript = talk_with_money();
    let avoid = |subject: &str| with(ScoreOptions::default(), |it| it.avoid = vec![subject.into()]);
    let (clips, warnings) = choose(&transcript, avoid("church")).await;
    assert!(!clips.is_empty() && warnings.is_empty());
    assert!(clips.iter().all(|clip| !said(&transcript, clip).contains("church")));
    let (clips, warnings) = choose(&transcript, avoid("the")).await;
    assert!(clips.is_empty() && warnings[0].contains("mentions none of the"), "{warnings:?}");
}

#[tokio::test]
async fn a_genre_decides_what_counts() {
    let transcript = talk_with_money();
    let of = |genre| {
        with(ScoreOptions::default(), |it| {
            it.genre = genre;
            it.max_clips = 1;
        })
    };
    let length = async |genre| choose(&transcript, of(Some(genre))).await.0[0].span.duration();
    let (gaming, lecture) = (length(Genre::Gaming).await, length(Genre::Lecture).await);
    assert!(gaming < lecture, "{gaming:?} {lecture:?}");
}

#[tokio::test]
async fn romance_languages_and_scripts_without_spaces_give_whole_clips() {
    let portuguese = "Por que todos os relógios da sua casa mentem? Passei nove anos consertando relógios numa cidade pequena. A verdade é que \
        nenhum deles concordava com outro. Meu pai adorava isso. Num inverno o relógio da igreja parou. Ninguém notou por três dias! Imagine \
        como aquelas pessoas eram livres. Nunca conserte o que ninguém sente falta.";
    let italian = "Perché tutti gli orologi di casa vostra mentono? Ho passato nove anni a riparare orologi in una piccola città. La verità è che \
        nessuno andava d'accordo con un altro. Mio padre lo adorava. Un inverno l'orologio della chiesa si fermò. Nessuno se ne accorse per tre \
        giorni! Immaginate quanto erano libere quelle persone. Non riparate mai quello che non manca a nessuno.";
    for text in [portuguese, italian] {
        // The language is detected.
        let transcript = made_talk(text, 2.7, 400.0);
        let (clips, warnings) = choose(&transcript, ScoreOptions::default()).await;
        assert!(clips.len() >= 5 && warnings.is_empty(), "{} clips, {warnings:?}", clips.len());
        for clip in &clips {
            let words = transcript.words_in(clip.span);
            let whole = words[0].text.starts_with(char::is_uppercase) && words.last().unwrap().text.ends_with(['.', '?', '!']);
            assert!(whole && clip.reason.to_lowercase().contains("stands on its own"), "{}: {}", clip.span, clip.reason);
        }
    }
    // Chinese with one word per character, five per second, as some recognisers write it.
    let chinese = "为什么你家里的每个时钟都在说谎？我在一个小镇上修了九年的时钟。其实没有两个时钟是一样的。我父亲很爱这一点。他说时间是一个约定。\
        有一年冬天教堂的时钟停了。三天里没有人发现！想象一下那些人有多自由。永远不要修理没有人想念的东西。";
    let spaced: String = chinese.chars().fold(String::new(), |mut text, letter| {
        if letter.is_alphanumeric() && !text.is_empty() {
            text.push(' ');
        }
        text.push(letter);
        text
    });
    let transcript = with(made_talk(&spaced.replace('。', ".").replace('！', "!"), 5.5, 400.0), |it| it.language = Some("zh".into()));
    let (clips, warnings) = choose(&transcript, ScoreOptions::default()).await;
    assert!(clips.len() >= 5, "{} clips, {warnings:?}", clips.len());
    for clip in &clips {
        let words = transcript.words_in(clip.span);
        assert!(words.last().unwrap().text.ends_with(['.', '!', '？']), "{}", clip.span);
        assert!(!clip.title.contains(' ') && clip.title.chars().count() >= 4, "{}", clip.title);
    }
    let about = with(ScoreOptions::default(), |it| it.about = vec!["教堂".into()]);
    let (clips, warnings) = choose(&transcript, about).await;
    assert!(!clips.is_empty() && warnings.is_empty(), "{warnings:?}");
}

#[tokio::test]
async fn what_stages_spend_is_in_the_manifest_and_a_budget_is_theirs_to_see() {
    let mut fake = Fake::new();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let left = seen.clone();
    fake.candidates = Arc::new(move |cx, scoring| {
        assert_eq!((scoring.options.about.as_slice(), scoring.options.genre), (&["clocks".to_owned()][..], Some(Genre::News)));
        let usage = with(Usage::new("mine"), |it| {
            it.requests = 1;
            it.prompt_tokens = 10;
            it.completion_tokens = 5;
            it.cost_usd = Some(0.25);
        });
        cx.spend(usage.clone());
        cx.spend(usage);
        left.lock().unwrap().push(cx.budget_left());
        Ok(vec![candidate(10.0, 40.0, 90.0)])
    });
    let options = with(ClipOptions::default(), |it| {
        it.max_cost = Some(2.0);
        it.about = vec!["clocks".into()];
        it.genre = Some(Genre::News);
    });
    let cx = Context::new();
    let pipeline = fake.builder().options(options).build().unwrap();
    let manifest = pipeline.run_with(&cx, "talk.mp4").await.unwrap();
    let [usage] = &manifest.usage[..] else { panic!("{:?}", manifest.usage) };
    assert_eq!((usage.stage, usage.requests, usage.prompt_tokens, usage.cost_usd), (Some(Stage::Score), 2, 20, Some(0.5)));
    assert_eq!(*seen.lock().unwrap(), [Some(1.5)]);
    let text = serde_json::to_value(&manifest).unwrap();
    assert_eq!(text["usage"][0]["stage"], "score");
    assert_eq!(serde_json::from_value::<clipkit::model::Manifest>(text).unwrap(), manifest);
    // Each run has the full budget, and the caller's context sums the usage of all.
    pipeline.plan_all_with(&cx, "talk.mp4").await.unwrap();
    assert_eq!((*seen.lock().unwrap()).len(), 2);
    assert_eq!((seen.lock().unwrap()[1], cx.usage()[0].requests), (Some(1.5), 4));

    let nothing = serde_json::to_value(Fake::new().pipeline().run("talk.mp4").await.unwrap()).unwrap();
    assert!(nothing.get("usage").is_none());
    let wrong = Fake::new()
        .builder()
        .options(with(ClipOptions::default(), |it| {
            it.max_cost = Some(-1.0);
            it.min = Duration::from_secs(5);
        }))
        .build();
    assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Config);
}
