//! A build without the feature `publish` uploads nothing.

use super::Instagram;
use crate::context::Context;
use crate::error::Result;
use crate::features;
use crate::model::{Post, Receipt};
use crate::publish::Account;

pub(super) async fn publish(_cx: &Context, _to: &Instagram, _account: Account, _post: &Post) -> Result<Receipt> {
    Err(features::missing("Instagram", "publish"))
}
