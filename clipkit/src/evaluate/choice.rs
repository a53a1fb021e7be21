//! How many of the moments that people chose are in the chosen spans.

use serde::{Deserialize, Serialize};

use super::places::{Gaps, found, loudest, spread};
use crate::model::Span;

/// A video with the spans that a scorer chose and the moments that people chose.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChoiceCase {
    /// The spans that a scorer chose.
    pub chosen: Vec<Span>,
    /// The moments that people chose.
    pub moments: Vec<Span>,
    /// The part of the video from which both were chosen.
    pub bounds: Span,
    /// The loudness of each second of the video, on any scale that grows with it. Empty: not known.
    pub loudness: Vec<f64>,
}

impl ChoiceCase {
    /// Makes a case without loudness.
    pub fn new(chosen: Vec<Span>, moments: Vec<Span>, bounds: Span) -> Self {
        ChoiceCase { chosen, moments, bounds, loudness: Vec::new() }
    }
}

/// The evaluation of the videos of one show. Shares are means over its videos.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShowReport {
    /// The show's name.
    pub show: String,
    /// The number of its videos.
    pub videos: usize,
    /// The share of the moments of which the chosen spans cover at least half.
    pub found: f64,
    /// The same for spans of the same lengths at random places, the mean of 20 draws.
    pub random: f64,
    /// The same at even places.
    pub even: f64,
    /// The same at the loudest places. `None` if the loudness of a video is not known.
    pub loudest: Option<f64>,
    /// `found` over the better of `random` and `even`.
    pub lift: f64,
}

/// The evaluation of all shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChoiceReport {
    /// Each show, in the order given.
    pub shows: Vec<ShowReport>,
    /// The mean of `found` over the shows, over the mean of the better of `random` and `even`.
    pub lift: f64,
    /// The bounds of the lift's 95 % interval: bootstrap over the videos of each show.
    pub low: f64,
    /// See `low`.
    pub high: f64,
}

/// What one video gives: found, at random, at even and at the loudest places.
#[derive(Clone, Copy)]
struct Shares {
    found: f64,
    random: f64,
    even: f64,
    loudest: Option<f64>,
}

const DRAWS: usize = 20;
const BOOTSTRAPS: usize = 2000;

/// Evaluates the choices for the videos of some shows. Equal inputs give equal reports.
pub fn choice(shows: &[(String, Vec<ChoiceCase>)]) -> ChoiceReport {
    let mut random = fastrand::Rng::with_seed(1);
    let measured: Vec<Vec<Shares>> = shows.iter().map(|(_, cases)| cases.iter().map(|case| shares(case, &mut random)).collect()).collect();
    let reports = shows.iter().zip(&measured).map(|((show, _), videos)| report(show, videos)).collect();
    let all: Vec<Vec<&Shares>> = measured.iter().map(|videos| videos.iter().collect()).collect();
    let mut lifts: Vec<f64> = (0..BOOTSTRAPS)
        .map(|_| {
            let drawn: Vec<Vec<&Shares>> =
                all.iter().map(|videos| videos.iter().map(|_| videos[random.usize(0..videos.len())]).collect()).collect();
            lift(&drawn)
        })
        .collect();
    lifts.sort_by(f64::total_cmp);
    ChoiceReport { shows: reports, lift: lift(&all), low: lifts[BOOTSTRAPS / 40], high: lifts[BOOTSTRAPS - BOOTSTRAPS / 40 - 1] }
}

fn shares(case: &ChoiceCase, random: &mut fastrand::Rng) -> Shares {
    let chosen: Vec<(f64, f64)> = case.chosen.iter().map(|span| (span.start().secs(), span.end().secs())).collect();
    let lengths: Vec<f64> = chosen.iter().map(|(start, end)| end - start).collect();
    let draws: f64 = (0..DRAWS).map(|_| found(&spread(&lengths, case.bounds, Gaps::Random(random)), &case.moments)).sum();
    Shares {
        found: found(&chosen, &case.moments),
        random: draws / DRAWS as f64,
        even: found(&spread(&lengths, case.bounds, Gaps::Even), &case.moments),
        loudest: (!case.loudness.is_empty()).then(|| found(&loudest(&lengths, case.bounds, &case.loudness), &case.moments)),
    }
}

fn report(show: &str, videos: &[Shares]) -> ShowReport {
    let all: Vec<&Shares> = videos.iter().collect();
    let loudest: Option<Vec<f64>> = videos.iter().map(|video| video.loudest).collect();
    ShowReport {
        show: show.to_owned(),
        videos: videos.len(),
        found: mean(&all, |video| video.found),
        random: mean(&all, |video| video.random),
        even: mean(&all, |video| video.even),
        loudest: loudest.filter(|all| !all.is_empty()).map(|all| all.iter().sum::<f64>() / all.len() as f64),
        lift: lift(&[all]),
    }
}

fn mean(videos: &[&Shares], of: impl Fn(&Shares) -> f64) -> f64 {
    videos.iter().map(|video| of(video)).sum::<f64>() / videos.len().max(1) as f64
}

/// What is found over the better of random and even places, both means over the shows. 0 if places
/// find nothing.
fn lift(shows: &[Vec<&Shares>]) -> f64 {
    let ours: f64 = shows.iter().map(|videos| mean(videos, |video| video.found)).sum();
    let places: f64 = shows.iter().map(|videos| mean(videos, |video| video.random).max(mean(videos, |video| video.even))).sum();
    if places > 0.0 { ours / places } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: f64, end: f64) -> Span {
        Span::secs(start, end).unwrap()
    }

    /// Videos of 1000 s with one moment of 20 s; `hit` says whether a span of 40 s is on it.
    fn videos(hits: &[bool]) -> Vec<ChoiceCase> {
        let chosen = |hit: bool| if hit { span(310.0, 350.0) } else { span(800.0, 840.0) };
        hits.iter().map(|hit| ChoiceCase::new(vec![chosen(*hit)], vec![span(320.0, 340.0)], span(0.0, 1000.0))).collect()
    }

    #[test]
    fn the_lift_compares_with_random_and_even_places() {
        let half: Vec<bool> = (0..400).map(|n| n % 2 == 0).collect();
        let report = choice(&[("half".into(), videos(&half)), ("none".into(), videos(&[false; 50]))]);
        assert_eq!((report.shows[0].videos, report.shows[0].found, report.shows[1].found), (400, 0.5, 0.0));
        // A span of 40 s covers half of the moment from 20 s of 960 starts more than its length.
        assert!((report.shows[0].random - 40.0 / 960.0).abs() < 0.01, "{}", report.shows[0].random);
        assert_eq!(report.shows[0].even, 0.0);
        assert!((report.lift - 0.25 / (40.0 / 960.0)).abs() < 1.0, "{}", report.lift);
        assert!(report.low < report.lift && report.lift < report.high && report.low > 4.5, "{report:?}");
        assert_eq!(report, choice(&[("half".into(), videos(&half)), ("none".into(), videos(&[false; 50]))]));
    }

    #[test]
    fn loudness_is_compared_where_it_is_known() {
        let mut cases = videos(&[true, false]);
        assert_eq!(choice(&[("a".into(), cases.clone())]).shows[0].loudest, None);
        for case in &mut cases {
            case.loudness = (0..1000).map(|second| if (315..345).contains(&second) { 1.0 } else { 0.0 }).collect();
        }
        assert_eq!(choice(&[("a".into(), cases)]).shows[0].loudest, Some(1.0));
    }

    #[test]
    fn nothing_to_evaluate_gives_zeros() {
        let report = choice(&[("empty".into(), Vec::new())]);
        assert_eq!((report.lift, report.low, report.high, report.shows[0].found), (0.0, 0.0, 0.0, 0.0));
        assert_eq!(choice(&[]).lift, 0.0);
    }
}
