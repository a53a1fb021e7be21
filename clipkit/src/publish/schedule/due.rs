//! Clips on platforms that do not schedule by themselves.

use std::time::SystemTime;

use super::{Schedule, reserve};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::Post;
use crate::publish::Target;

/// Refuses a clip whose time has not come: that of the post, else the one that the schedule gives
/// it and keeps. A time in the past means now.
///
/// # Errors
///
/// [`ErrorKind::RateLimited`] with [`Recovery::WaitUntil`], which a queue follows.
pub(in crate::publish) async fn wait_for_time(
    cx: &Context,
    schedule: Option<&Schedule>,
    target: &Target,
    post: &Post,
    publication: &str,
) -> Result<()> {
    let at = match (post.publish_at, schedule) {
        (Some(at), _) => at,
        (None, Some(schedule)) => reserve(cx, schedule, target, publication).await?,
        (None, None) => return Ok(()),
    };
    if at <= SystemTime::now() {
        return Ok(());
    }
    let shown = jiff::Timestamp::try_from(at).map(|at| format!("{at:.0}")).unwrap_or_default();
    Err(Error::new(ErrorKind::RateLimited, format!("{target} publishes the clip at {shown}, and does not schedule by itself"))
        .with_recovery(Recovery::WaitUntil(at))
        .with_advice("publish it again then, or make the run a job: its worker waits"))
}
