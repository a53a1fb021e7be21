use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// How the picture is to be arranged in the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LayoutChoice {
    /// What suits each shot: usually `fill`; `split` while two people who are far apart take turns so quickly that cutting would flicker;
    /// `fit` for screens and slides, and for groups that no window holds while cutting would flicker or nobody speaks; `pip` for screens
    /// with a camera's picture in a corner.
    #[default]
    Auto,
    /// One window fills the output and cuts between speakers: the largest faces. The rest of the picture is not seen.
    Fill,
    /// Two people, one above the other: nobody's reaction is missed, but faces are smaller. A shot without two people is filled.
    Split,
    /// All of the picture over a blurred copy of itself: nothing is cut off, but everything is small.
    Fit,
    /// All of the picture, and a face laid over it, larger than it is: for screencasts. A shot without a small face is filled or, if it is
    /// a screen, fitted.
    Pip,
}

impl FromStr for LayoutChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(LayoutChoice::Auto),
            "fill" => Ok(LayoutChoice::Fill),
            "split" => Ok(LayoutChoice::Split),
            "fit" => Ok(LayoutChoice::Fit),
            "pip" => Ok(LayoutChoice::Pip),
            _ => {
                Err(Error::new(ErrorKind::Config, format!("there is no layout {text:?}")).with_advice("use auto, fill, split, fit or pip"))
            }
        }
    }
}

impl fmt::Display for LayoutChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LayoutChoice::Auto => "auto",
            LayoutChoice::Fill => "fill",
            LayoutChoice::Split => "split",
            LayoutChoice::Fit => "fit",
            LayoutChoice::Pip => "pip",
        })
    }
}
