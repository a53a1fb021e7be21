//! The scripts, each an operation that Redis runs as a whole.

use std::sync::LazyLock;

use redis::{FromRedisValue, Script};

use super::Redis;
use crate::error::Result;

/// What all scripts begin with.
const QUEUE: &str = include_str!("lua/queue.lua");

macro_rules! scripts {
    ($($name:ident: $file:literal,)*) => {$(
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| Script::new(&format!("{QUEUE}\n{}", include_str!($file))));
    )*};
}

scripts! {
    ADD: "lua/add.lua",
    CANCEL: "lua/cancel.lua",
    CLAIM: "lua/claim.lua",
    COMPLETE: "lua/complete.lua",
    FAIL: "lua/fail.lua",
    HEARTBEAT: "lua/heartbeat.lua",
    LIST: "lua/list.lua",
    RECORDS: "lua/records.lua",
    REMOVE: "lua/remove.lua",
    REPLAY: "lua/replay.lua",
}

impl Redis {
    /// Runs a script. It runs to its end even if the future is dropped.
    pub(super) async fn run<T: FromRedisValue>(&self, doing: &str, script: &Script, arguments: &[String]) -> Result<T> {
        let mut invocation = script.key(&self.shared.prefix);
        for argument in arguments {
            invocation.arg(argument);
        }
        let mut connection = self.shared.connection.clone();
        invocation.invoke_async(&mut connection).await.map_err(|error| self.shared.address.failed(doing, error))
    }
}
