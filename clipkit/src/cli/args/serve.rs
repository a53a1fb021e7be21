//! `clipkit serve`: arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use clipkit::jobs::Rate;
use clipkit::serve::Scope;

use super::RedisArgs;
use super::jobs::{limit, rate};
use super::values::duration;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ServeArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ServeCommand>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// The address to listen on. Without API keys, only addresses of this machine
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) bind: String,
    /// The job database, a SQLite file. Documents and rendered clips lie beside it in FILE.files
    #[arg(long, visible_alias = "db", value_name = "FILE", default_value = "jobs.db")]
    pub(crate) jobs: PathBuf,
    #[command(flatten)]
    pub(crate) redis: RedisArgs,
    /// The folder for clips; each job has a folder in it
    #[arg(short, long, value_name = "DIR", default_value = "clips")]
    pub(crate) out: PathBuf,
    /// The file with the API keys [default: JOBS.keys.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// A pipeline's configuration as JSON, for all jobs. Clients change its `options`
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Let clients set all of the configuration and publishers: only for trusted clients, since
    /// this lets them read and write files of this machine
    #[arg(long)]
    pub(crate) allow_config: bool,
    /// A folder whose files clients may name by their paths. Can be repeated [default: none]
    #[arg(long, value_name = "DIR")]
    pub(crate) allow_folder: Vec<PathBuf>,
    /// A scheme of addresses that clients may name besides http and https: s3. Can be repeated
    #[arg(long, value_name = "SCHEME")]
    pub(crate) allow_scheme: Vec<String>,
    /// A private address or network that addresses may lead to: 192.168.1.0/24. Can be repeated
    #[arg(long, value_name = "NETWORK")]
    pub(crate) allow_private: Vec<String>,
    /// A name of this service in the Host header. Can be repeated [default: any with API keys, else
    /// localhost]
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Vec<String>,
    /// An origin whose web pages may use the API: https://app.example.com. Can be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Vec<String>,
    /// The most requests of a key per minute
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) requests_per_minute: u32,
    /// The largest upload, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 10 * 1024, value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub(crate) max_upload: u64,
    /// An address that gets the milestones of jobs, signed with the secret in
    /// CLIPKIT_WEBHOOK_SECRET. Can be repeated
    #[arg(long, value_name = "URL")]
    pub(crate) webhook: Vec<String>,
    /// Serve the API without the dashboard
    #[arg(long)]
    pub(crate) no_dashboard: bool,
    /// Only serve: other processes do the steps (`clipkit worker`)
    #[arg(long)]
    pub(crate) no_worker: bool,
    /// How often a step is tried
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) attempts: u32,
    /// How many steps of a kind the worker does at a time: render=2. Can be repeated
    #[arg(long, value_name = "STAGE=N", value_parser = limit)]
    pub(crate) limit: Vec<(String, usize)>,
    /// How many steps of a kind start per minute, over all workers; 0 means no rate: transcribe=20.
    /// Can be repeated [default: transcribe 5]
    #[arg(long, value_name = "STAGE=N", value_parser = rate)]
    pub(crate) rate: Vec<(String, Option<Rate>)>,
    /// The time after which the steps of a dead worker are done by another one
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) lease: Duration,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServeCommand {
    /// Make, list and remove API keys. A running service sees the change
    Key(KeyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// The file with the API keys [default: JOBS.keys.json]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) keys: Option<PathBuf>,
    /// The job database that the keys are for
    #[arg(long, visible_alias = "db", value_name = "FILE", default_value = "jobs.db", global = true)]
    pub(crate) jobs: PathBuf,
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print it. It is not stored: this is the only time that it is seen
    Add {
        /// The name: the user of the jobs that are submitted with the key
        name: String,
        /// What it allows: read, or write, which includes read
        #[arg(long, default_value = "write", value_parser = scope)]
        scope: Scope,
    },
    /// List the keys without their secrets
    List {
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Remove keys by their ids
    Remove {
        /// The ids, as `list` prints them
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

fn scope(text: &str) -> Result<Scope, String> {
    text.parse().map_err(|error: clipkit::Error| error.to_string())
}
