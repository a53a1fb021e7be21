use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// What may stand in for a stage that fails. A stand-in leaves a warning of the kind
/// [`StandIn`](crate::model::WarningKind::StandIn).
///
/// Without a policy in [`ClipOptions::degrade`](crate::ClipOptions::degrade), a run degrades as
/// [`Degrade::default`] says, and a step called by itself answers its error. A queue that retries
/// sets [`Degrade::NEVER`] and, on the last attempt, [`Degrade::default`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Degrade {
    /// For the transcriber `auto`: the speech model on this machine where the API fails.
    pub transcriber: StandIn,
    /// For a scorer: the [`Heuristic`](crate::stage::Heuristic).
    pub scorer: StandIn,
    /// For a face tracker: the [`MotionTracker`](crate::stage::MotionTracker), then the
    /// [`CenterTracker`](crate::stage::CenterTracker).
    pub tracker: StandIn,
    /// For captions that cannot be drawn: a clip without captions.
    pub captions: StandIn,
}

impl Degrade {
    /// Every stage's failure is its error.
    pub const NEVER: Degrade = Degrade::all(StandIn::Never);
    /// Every stage that fails has a stand-in, also one of the user's own.
    pub const ALWAYS: Degrade = Degrade::all(StandIn::Always);

    /// The same for every stage.
    pub const fn all(stand_in: StandIn) -> Self {
        Degrade { transcriber: stand_in, scorer: stand_in, tracker: stand_in, captions: stand_in }
    }
}

/// For whose failure something stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StandIn {
    /// For a stage of clipkit's own. The error of a stage that the user wrote is the run's error.
    #[default]
    BuiltIn,
    /// For any stage.
    Always,
    /// For none.
    Never,
}

impl StandIn {
    /// Whether something stands in for a stage that failed so.
    ///
    /// Cancelled work has no stand-in, and that nothing worth a clip was found is an answer.
    pub(super) fn allows(self, error: &Error, is_builtin: bool) -> bool {
        let for_stage = match self {
            StandIn::BuiltIn => is_builtin,
            StandIn::Always => true,
            StandIn::Never => false,
        };
        for_stage && !matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::NothingFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_decides_by_whose_stage_failed() {
        let (failed, cancelled) = (Error::new(ErrorKind::Network, "down"), Error::cancelled());
        let table = [
            (StandIn::BuiltIn, true, true),
            (StandIn::BuiltIn, false, false),
            (StandIn::Always, false, true),
            (StandIn::Never, true, false),
        ];
        for (stand_in, is_builtin, expected) in table {
            assert_eq!(stand_in.allows(&failed, is_builtin), expected, "{stand_in:?} {is_builtin}");
            assert!(!stand_in.allows(&cancelled, is_builtin));
        }
        assert_eq!(serde_json::from_str::<Degrade>(r#"{"scorer": "never"}"#).unwrap().tracker, StandIn::BuiltIn);
    }
}
