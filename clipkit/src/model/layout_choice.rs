use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// The layout of a clip that the user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LayoutChoice {
    /// The planner chooses a layout for each shot. The usual choice is `fill`. It is `split` for
    /// two people who are far apart and alternate too quickly for cuts between them, or of whom
    /// neither is certain to be the one who is heard (both mouths move as the voice does, or the
    /// voice is nobody's in the picture; with a model of active speakers). It is `fit`
    /// for screens and slides, and for groups that do not fit in one crop window if nobody speaks
    /// or the cuts would be too frequent. It is `pip` for a screen with a camera picture in a
    /// corner.
    #[default]
    Auto,
    /// One crop window fills the output and follows the largest faces, with cuts between speakers.
    /// The rest of the picture is not visible.
    Fill,
    /// Two crop windows show two people, one above the other. Both stay visible, but faces are
    /// smaller. A shot without two people uses `fill`.
    Split,
    /// The whole picture is shown over a blurred copy of itself. Nothing is cut off, but everything
    /// is smaller.
    Fit,
    /// The whole picture is shown with an enlarged face over it, for screencasts. A shot without a
    /// small face uses `fit` if it is a screen, else `fill`.
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
