use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// The loudness of a clip, as ITU-R BS.1770 and EBU R 128 define it.
///
/// The renderer applies one constant gain to the whole clip and limits only the peaks that would
/// exceed the true peak. The gain is at most 20 dB. A clip below -50 LUFS counts as silent and is
/// not changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Loudness {
    /// The integrated loudness in LUFS, -40 to -5.
    pub integrated: f64,
    /// The highest true peak of the finished file in dBTP, -9 to 0.
    pub true_peak: f64,
}

impl Loudness {
    /// The loudness that online platforms normalize to: -14 LUFS with a true peak of at most -1
    /// dBTP.
    pub const ONLINE: Loudness = Loudness { integrated: -14.0, true_peak: -1.0 };

    /// Whether both values are in range. NaN is not.
    pub(super) fn is_possible(self) -> bool {
        (-40.0..=-5.0).contains(&self.integrated) && (-9.0..=0.0).contains(&self.true_peak)
    }
}

impl FromStr for Loudness {
    type Err = Error;

    /// Parses a number of LUFS. The true peak is that of [`Loudness::ONLINE`].
    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse =
            || Error::new(ErrorKind::Config, format!("{text:?} is not a loudness")).with_advice("give LUFS from -40 to -5, such as -14");
        let loudness = Loudness { integrated: text.parse().map_err(|_| refuse())?, ..Loudness::ONLINE };
        if loudness.is_possible() { Ok(loudness) } else { Err(refuse()) }
    }
}
