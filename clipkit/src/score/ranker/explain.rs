//! Says in words what counted for or against a span.

use std::collections::HashMap;
use std::ops::Range;

use super::Moments;
use super::features;
use super::lexicon::{Entry, LISTS};
use crate::model::Factor;

/// Features that say the same thing, under one name. Each feature is in one group.
const GROUPS: [(&str, &str); 18] = [
    ("feeling and stakes", "r_vneg r_vpos vabs r_stakes r_love r_swear"),
    ("negation", "r_neg p_isnot"),
    ("superlatives and emphasis", "r_super r_cert r_intens ende"),
    ("questions", "endq prevq qfirst r_qword p_askq"),
    ("reasons and insights", "p_reason r_cause r_insight r_abstract"),
    ("story and reported speech", "r_story r_said p_waslike p_iwas r_he r_they r_time r_edw quotes"),
    ("speaker and listener", "r_i r_we r_you"),
    ("advice and demands", "r_modal r_must imper p_want p_whatif"),
    ("the future", "r_future p_future"),
    ("money, power, technology, sex", "r_money r_power r_tech r_sex"),
    ("numbers and names", "r_num names"),
    ("hedges and fillers", "r_hedge r_filler filfirst p_imean p_youknow p_ithink"),
    ("contrast and comparison", "r_contrast r_compar"),
    ("talk about the show", "r_show r_greet p_show"),
    ("plain or rare wording", "r_wlen r_longw r_nominal idfep hapax content types reps r_stop r_it r_ingw"),
    ("closeness to the rest of the talk", "central textrank nov_prev nov_next localsim"),
    ("length and pace of sentences", "n logn short rate commas dash anaph"),
    (PLACE, ""),
];
const PLACE: &str = "place in the talk";
const WORDS: &str = "other words";
/// The minimum effect that is reported, and the maximum number of factors and of words of each.
const LEAST: f64 = 0.05;
const MOST_FACTORS: usize = 6;
const MOST_WORDS: usize = 3;

impl Moments {
    /// What counted most for or against a span, in comparison with the whole talk.
    pub(in crate::score) fn factors(&self, start: f64, end: f64) -> Vec<Factor> {
        let inside =
            self.times.partition_point(|(_, unit_end)| *unit_end <= start)..self.times.partition_point(|(unit_start, _)| *unit_start < end);
        let here: Vec<(usize, f64)> = inside
            .clone()
            .map(|n| (n, self.times[n].1.min(end) - self.times[n].0.max(start)))
            .filter(|(_, weight)| *weight > 0.0)
            .collect();
        let columns = columns();
        let mut effects: Vec<(usize, f64)> = GROUPS
            .iter()
            .enumerate()
            .map(|(group, (name, _))| {
                let of_unit = |n: usize| match *name {
                    PLACE => self.place[n],
                    _ => columns[group].iter().map(|column| self.added[n][*column]).sum(),
                };
                (group, self.effect(&here, of_unit))
            })
            .collect();
        effects.push((GROUPS.len(), self.effect(&here, |n| self.words[n])));
        effects.retain(|(_, effect)| effect.abs() >= LEAST);
        effects.sort_by(|(_, a), (_, b)| b.abs().total_cmp(&a.abs()));
        effects.truncate(MOST_FACTORS);
        effects
            .into_iter()
            .map(|(group, effect)| {
                let name = GROUPS.get(group).map_or(WORDS, |(name, _)| name);
                let effect = (effect * 100.0).round() / 100.0;
                if self.is_rarer(group, inside.clone()) {
                    Factor::new(format!("less {name}"), effect, Vec::new())
                } else {
                    Factor::new(name, effect, self.said(group, effect, inside.clone()))
                }
            })
            .collect()
    }

    /// The mean over the time of a span, less the mean over the whole talk.
    fn effect(&self, here: &[(usize, f64)], of_unit: impl Fn(usize) -> f64) -> f64 {
        let mean = |sum: f64, weight: f64| if weight > 0.0 { sum / weight } else { 0.0 };
        let span = here.iter().fold((0.0, 0.0), |(sum, all), (n, weight)| (sum + weight * of_unit(*n), all + weight));
        let talk = self
            .times
            .iter()
            .enumerate()
            .fold((0.0, 0.0), |(sum, all), (n, (start, end))| (sum + (end - start) * of_unit(n), all + end - start));
        mean(span.0, span.1) - mean(talk.0, talk.1)
    }

    /// Whether the words of a group's lists are rarer in some units than in the whole talk.
    fn is_rarer(&self, group: usize, units: Range<usize>) -> bool {
        let Some((_, names)) = GROUPS.get(group) else { return false };
        let (lists, valence) = (lists(names), names.contains("r_vneg"));
        let share = |units: &[Range<usize>]| {
            let words = || units.iter().flat_map(|unit| self.vocabulary.numbers[unit.clone()].iter().flatten());
            let entry = |word: &u32| &self.vocabulary.entries[*word as usize];
            let members = words().filter(|word| entry(word).lists & lists != 0 || (valence && entry(word).valence < 0.0)).count();
            members as f64 / words().count().max(1) as f64
        };
        lists != 0 && share(&self.units[units]) < share(&self.units)
    }

    /// Words of the units that belong to a group, those that count most or are said most first.
    fn said(&self, group: usize, effect: f64, units: Range<usize>) -> Vec<String> {
        let mut counts: HashMap<u32, f64> = HashMap::new();
        let stop = features::bit("stop");
        let (lists, valence) = GROUPS.get(group).map_or((0, false), |(_, names)| (lists(names), names.contains("r_vneg")));
        for word in self.units[units].iter().flat_map(|unit| self.vocabulary.numbers[unit.clone()].iter().flatten()) {
            let entry: &Entry = &self.vocabulary.entries[*word as usize];
            let worth = match group {
                _ if group == GROUPS.len() && entry.lists & stop == 0 => entry.weight.map_or(0.0, |weight| weight * effect.signum()),
                // Negative feeling counts for a span, positive feeling against it.
                _ if valence && entry.valence != 0.0 => -entry.valence * effect.signum(),
                _ if entry.lists & lists != 0 => 1.0,
                _ => 0.0,
            };
            if worth > 0.0 {
                *counts.entry(*word).or_default() += worth;
            }
        }
        let mut counts: Vec<(u32, f64)> = counts.into_iter().collect();
        counts.sort_by(|(a, more), (b, less)| less.total_cmp(more).then(a.cmp(b)));
        counts.into_iter().take(MOST_WORDS).map(|(word, _)| self.vocabulary.keys[word as usize].clone()).collect()
    }
}

/// The columns of each group.
fn columns() -> Vec<Vec<usize>> {
    let names = features::names();
    let column = |name: &str| names.iter().position(|known| known == name);
    GROUPS.iter().map(|(_, members)| members.split_whitespace().filter_map(column).collect()).collect()
}

/// The lists of a group whose words are shown, as bits. Function words say nothing to a reader.
fn lists(names: &str) -> u64 {
    const FUNCTION_WORDS: [&str; 10] = ["stop", "it", "he", "they", "i", "we", "you", "modal", "qword", "anaph"];
    let own = names.split_whitespace().filter_map(|name| name.strip_prefix("r_"));
    let bit = |name: &str| LISTS.iter().position(|list| *list == name && !FUNCTION_WORDS.contains(list));
    own.filter_map(bit).fold(0, |bits, n| bits | 1 << n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_is_in_one_group() {
        let mut found: Vec<usize> = columns().into_iter().flatten().collect();
        found.sort_unstable();
        assert_eq!(found, (0..features::COUNT).collect::<Vec<_>>());
    }
}
