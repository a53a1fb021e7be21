//! What was read by its meaning, counted.

/// A way in which an answer departs from the form that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::score::openai) enum Repair {
    /// Not JSON in this many places.
    Syntax,
    /// Text around the JSON.
    Around,
    /// The list is not where it should be.
    Shape,
    /// A field has another name.
    Name,
    /// A number is text.
    Number,
    /// A score is on another scale.
    Scale,
    /// A field that is not needed is missing.
    Missing,
}

const KINDS: [(Repair, &str); 7] = [
    (Repair::Shape, "lists of another shape"),
    (Repair::Around, "texts around the JSON"),
    (Repair::Syntax, "places that are not JSON"),
    (Repair::Name, "fields of another name"),
    (Repair::Number, "numbers as text"),
    (Repair::Scale, "scores on another scale"),
    (Repair::Missing, "optional fields left out"),
];

/// The number of repairs of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::score::openai) struct Repairs([usize; KINDS.len()]);

impl Repairs {
    pub(in crate::score::openai) fn add(&mut self, repair: Repair, count: usize) {
        let place = KINDS.iter().position(|(kind, _)| *kind == repair);
        if let Some(counted) = place.and_then(|place| self.0.get_mut(place)) {
            *counted += count;
        }
    }

    pub(in crate::score::openai) fn merge(&mut self, other: Repairs) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }

    pub(in crate::score::openai) fn is_empty(self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }

    /// The counts in words: `3 numbers as text, 12 scores on another scale`.
    pub(in crate::score::openai) fn describe(self) -> String {
        let counted = KINDS.iter().zip(self.0).filter(|(_, count)| *count > 0);
        counted.map(|((_, name), count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_are_counted_by_kind() {
        let mut repairs = Repairs::default();
        assert!(repairs.is_empty());
        repairs.add(Repair::Number, 2);
        let mut more = Repairs::default();
        more.add(Repair::Number, 1);
        more.add(Repair::Shape, 1);
        repairs.merge(more);
        assert_eq!(repairs.describe(), "1 lists of another shape, 3 numbers as text");
    }
}
