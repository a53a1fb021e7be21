//! Head to head: models put a few clips in order better than they score each, since their scores lie in a narrow band. Pure.

/// Clips in one comparison: more, and the middle of the order is chance.
const GROUP: usize = 5;
/// How often each clip is compared, each time with others and in another order.
const ROUNDS: usize = 3;
/// The most clips that are compared: bounds the requests to twelve.
pub(super) const LARGEST_FIELD: usize = 20;

/// Which clips are shown together, and in which order: each clip once a round. `seed` decides, so that the same talk is asked the same.
pub(super) fn groups(clips: usize, seed: &str) -> Vec<Vec<usize>> {
    if clips < 2 {
        return Vec::new();
    }
    let size = clips.div_ceil(clips.div_ceil(GROUP));
    let round = |round: usize| {
        let mut order: Vec<usize> = (0..clips).collect();
        order.sort_by_key(|clip| *blake3::hash(format!("{seed} {round} {clip}").as_bytes()).as_bytes());
        // A clip left over would be compared with nothing.
        let alone = if clips % size == 1 { order.pop() } else { None };
        let mut groups: Vec<Vec<usize>> = order.chunks(size).map(<[usize]>::to_vec).collect();
        if let (Some(clip), Some(last)) = (alone, groups.last_mut()) {
            last.push(clip);
        }
        groups
    };
    (0..ROUNDS).flat_map(round).collect()
}

/// Each clip's chance of winning against another of the field, 0 to 1, from orders of some of them, best first; a half for what was never
/// compared.
///
/// Bradley and Terry's model, fitted by Hunter's minorization (2004): `p_i = w_i / sum_j n_ij / (p_i + p_j)`, with a win and a loss each
/// against a clip of strength 1, so that nobody is infinitely good.
pub(super) fn chances(clips: usize, orders: &[Vec<usize>]) -> Vec<f64> {
    const TURNS: usize = 60;
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
    for _ in 0..TURNS {
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
    fn the_true_order_comes_out_of_partial_ones_and_survives_a_slip() {
        let clips = 13;
        let mut orders = groups(clips, "seed");
        for order in &mut orders {
            order.sort_unstable();
        }
        let ranked = |chances: &[f64]| {
            let mut order: Vec<usize> = (0..clips).collect();
            order.sort_by(|&a, &b| chances[b].total_cmp(&chances[a]));
            order
        };
        let moved = |order: &[usize]| order.iter().enumerate().map(|(place, clip)| place.abs_diff(*clip)).max().unwrap_or(0);
        assert!(moved(&ranked(&chances(clips, &orders))) <= 3, "{:?}", ranked(&chances(clips, &orders)));
        orders[0].reverse();
        assert!(ranked(&chances(clips, &orders))[..5].contains(&0));
        assert_eq!(chances(3, &[]), [0.5; 3]);
    }

    proptest! {
        #[test]
        fn groups_hold_every_clip_once_a_round(clips in 0..40usize, seed in "[a-z]{0,8}") {
            let groups = groups(clips, &seed);
            prop_assert!(groups.iter().all(|group| (2..=GROUP + 1).contains(&group.len())));
            let mut seen = vec![0; clips];
            groups.iter().flatten().for_each(|clip| seen[*clip] += 1);
            prop_assert!(clips < 2 || seen.iter().all(|times| *times == ROUNDS));
            prop_assert!(clips > LARGEST_FIELD || groups.len() <= 12);
        }

        #[test]
        fn chances_are_chances(orders in prop::collection::vec(Just((0..7usize).collect::<Vec<_>>()).prop_shuffle(), 0..9)) {
            let chances = chances(7, &orders);
            prop_assert!(chances.iter().all(|chance| (0.0..=1.0).contains(chance)));
            prop_assert!((chances.iter().sum::<f64>() / 7.0 - 0.5).abs() < 1e-6);
        }
    }
}
