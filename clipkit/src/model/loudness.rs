use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// How loud a clip is, by ITU-R BS.1770 and EBU R 128.
///
/// The whole clip is raised or lowered by one amount; only peaks that would pass the limit are held down. It is raised by at most 20 dB,
/// and a clip below -50 LUFS, in which nothing is meant to be heard, is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Loudness {
    /// Integrated loudness in LUFS, -40 to -5.
    pub integrated: f64,
    /// The highest true peak in dBTP, -9 to 0, in the finished file.
    pub true_peak: f64,
}

impl Loudness {
    /// What the platforms play at: -14 LUFS, peaks up to -1 dBTP.
    pub const ONLINE: Loudness = Loudness { integrated: -14.0, true_peak: -1.0 };

    /// Whether it can be asked for. Not-a-number cannot.
    pub(super) fn is_possible(self) -> bool {
        (-40.0..=-5.0).contains(&self.integrated) && (-9.0..=0.0).contains(&self.true_peak)
    }
}

impl FromStr for Loudness {
    type Err = Error;

    /// A number of LUFS; the peaks of [`Loudness::ONLINE`].
    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse =
            || Error::new(ErrorKind::Config, format!("{text:?} is not a loudness")).with_advice("give LUFS from -40 to -5, such as -14");
        let loudness = Loudness { integrated: text.parse().map_err(|_| refuse())?, ..Loudness::ONLINE };
        if loudness.is_possible() { Ok(loudness) } else { Err(refuse()) }
    }
}
