//! Ranking by comparison. Language models order a few clips more reliably than they score each,
//! since their scores lie in a narrow range. Pure.

/// The most clips in one comparison, apart from a left-over one. In longer orders the middle is
/// random.
const GROUP: usize = 5;
/// How often each clip is compared, each time in another group and order.
const ROUNDS: usize = 3;
/// The most clips that are compared, which limits the requests to twelve.
pub(super) const MAX_CLIPS: usize = 20;

/// The groups of clips to compare, in the order to show them. Each clip occurs once a round. `seed`
/// decides the groups, so that the same transcript gives the same requests.
pub(super) fn groups(clips: usize, seed: &str) -> Vec<Vec<usize>> {
    if clips < 2 {
        return Vec::new();
    }
    let size = clips.div_ceil(clips.div_ceil(GROUP));
    let round = |round: usize| {
        let mut order: Vec<usize> = (0..clips).collect();
        order.sort_by_key(|clip| *blake3::hash(format!("{seed} {round} {clip}").as_bytes()).as_bytes());
        // A last group of one clip would have nothing to compare: it joins the group before.
        let alone = if clips % size == 1 { order.pop() } else { None };
        let mut groups: Vec<Vec<usize>> = order.chunks(size).map(<[usize]>::to_vec).collect();
        if let (Some(clip), Some(last)) = (alone, groups.last_mut()) {
            last.push(clip);
        }
        groups
    };
    (0..ROUNDS).flat_map(round).collect()
}

/// Each clip's mean probability, 0 to 1, of being ranked above another clip, estimated from
/// `orders` of some clips, best first. 0.5 for clips that were not compared.
///
/// The Bradley-Terry model, fitted with the MM algorithm of Hunter (2004): `p_i = w_i / sum_j n_ij
/// / (p_i + p_j)`. Each clip has one virtual win and one virtual loss against a clip of strength 1,
/// which keeps all strengths finite.
pub(super) fn win_probabilities(clips: usize, orders: &[Vec<usize>]) -> Vec<f64> {
    const ITERATIONS: usize = 60;
    let mut wins = vec![1.0; clips];
    let mut met = vec![vec![0.0; clips]; clips];
    for order in orders {
        for (place, &better) in order.iter().enumerate() {
            for &worse in &order[place + 1..] {
                wins[better] += 1.0;
                met[better][worse] += 1.0;
                met[worse][better] += 1.0;
            }
        }
    }
    let mut strength = vec![1.0_f64; clips];
    for _ in 0..ITERATIONS {
        strength = (0..clips)
            .map(|i| {
                let against: f64 = (0..clips).map(|j| met[i][j] / (strength[i] + strength[j])).sum();
                wins[i] / (against + 2.0 / (strength[i] + 1.0))
            })
            .collect();
    }
    (0..clips)
        .map(|i| {
            let others = (0..clips).filter(|&j| j != i).map(|j| strength[i] / (strength[i] + strength[j]));
            if clips > 1 { others.sum::<f64>() / (clips - 1) as f64 } else { 0.5 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_true_order_follows_from_partial_orders_and_one_error_changes_little() {
        let clips = 13;
        let mut orders = groups(clips, "seed");
        for order in &mut orders {
            order.sort_unstable();
        }
        let ranked = |probabilities: &[f64]| {
            let mut order: Vec<usize> = (0..clips).collect();
            order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
            order
        };
        let moved = |order: &[usize]| order.iter().enumerate().map(|(place, clip)| place.abs_diff(*clip)).max().unwrap_or(0);
        assert!(moved(&ranked(&win_probabilities(clips, &orders))) <= 3, "{:?}", ranked(&win_probabilities(clips, &orders)));
        orders[0].reverse();
        assert!(ranked(&win_probabilities(clips, &orders))[..5].contains(&0));
        assert_eq!(win_probabilities(3, &[]), [0.5; 3]);
    }

    proptest! {
        #[test]
        fn groups_hold_every_clip_once_a_round(clips in 0..40usize, seed in "[a-z]{0,8}") {
            let groups = groups(clips, &seed);
            prop_assert!(groups.iter().all(|group| (2..=GROUP + 1).contains(&group.len())));
            let mut seen = vec![0; clips];
            groups.iter().flatten().for_each(|clip| seen[*clip] += 1);
            prop_assert!(clips < 2 || seen.iter().all(|times| *times == ROUNDS));
            prop_assert!(clips > MAX_CLIPS || groups.len() <= 12);
        }

        #[test]
        fn results_are_probabilities(orders in prop::collection::vec(Just((0..7usize).collect::<Vec<_>>()).prop_shuffle(), 0..9)) {
            let probabilities = win_probabilities(7, &orders);
            prop_assert!(probabilities.iter().all(|probability| (0.0..=1.0).contains(probability)));
            prop_assert!((probabilities.iter().sum::<f64>() / 7.0 - 0.5).abs() < 1e-6);
        }
    }
}
