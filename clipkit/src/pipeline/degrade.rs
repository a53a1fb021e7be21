use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// Which failing stages are replaced by a fallback. Each use of a fallback leaves a warning of kind
/// [`StandIn`](crate::model::WarningKind::StandIn).
///
/// If [`ClipOptions::degrade`](crate::ClipOptions::degrade) is not set, a run uses
/// [`Degrade::default`], and a step that is called on its own returns its error. A queue that
/// retries sets [`Degrade::NEVER`] and, on the last attempt, [`Degrade::default`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Degrade {
    /// The transcriber `auto`: if the API fails, the local speech model transcribes.
    pub transcriber: StandIn,
    /// The scorer: if it fails, the [`Heuristic`](crate::stage::Heuristic) chooses the spans.
    pub scorer: StandIn,
    /// The face tracker: if it fails, the [`MotionTracker`](crate::stage::MotionTracker) is used,
    /// then the [`CenterTracker`](crate::stage::CenterTracker).
    pub tracker: StandIn,
    /// Captions: if they cannot be drawn, the clip is rendered without captions.
    pub captions: StandIn,
    /// Overlays: if the image of one cannot be read, the clip is rendered without that overlay.
    /// This leaves a warning of kind [`Overlay`](crate::model::WarningKind::Overlay).
    pub overlays: StandIn,
}

impl Degrade {
    /// No fallbacks: a failing stage returns its error.
    pub const NEVER: Degrade = Degrade::all(StandIn::Never);
    /// Fallbacks for every stage, including stages written by the user.
    pub const ALWAYS: Degrade = Degrade::all(StandIn::Always);

    /// The same policy for every stage.
    pub const fn all(stand_in: StandIn) -> Self {
        Degrade { transcriber: stand_in, scorer: stand_in, tracker: stand_in, captions: stand_in, overlays: stand_in }
    }
}

/// Which stages have a fallback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StandIn {
    /// Built-in stages only. The error of a stage written by the user is returned.
    #[default]
    BuiltIn,
    /// All stages.
    Always,
    /// No stage.
    Never,
}

impl StandIn {
    /// Whether a fallback replaces a stage that failed with `error`.
    ///
    /// Cancellation and [`ErrorKind::NothingFound`] are results and not failures, so they have no
    /// fallback.
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
