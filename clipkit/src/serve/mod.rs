//! A service over [`jobs`](crate::jobs): an HTTP API with live events, uploads, API keys, metrics
//! and a dashboard.
//!
//! [`Server`] is the service of `clipkit serve`; [`router`] is the same for a program's own server.
//! Any HTTP client can use the API. `GET /v1/openapi.json` describes it.
//!
//! ```no_run
//! use clipkit::jobs::{Jobs, Worker};
//! use clipkit::serve::{ServeOptions, Server};
//!
//! # #[tokio::main] async fn main() -> clipkit::Result<()> {
//! let cx = clipkit::Context::new();
//! let jobs = Jobs::open("jobs.db").await?;
//! let server = Server::bind("127.0.0.1:8080", jobs.clone(), ServeOptions::default()).await?;
//! let worker = Worker::new(jobs);
//! tokio::try_join!(server.run(&cx), worker.run(&cx))?;
//! # Ok(()) }
//! ```
//!
//! What protects the service:
//! - Without API keys it answers only requests whose `Host` names this machine, and [`Server`]
//!   binds only to loopback addresses. A web page of another origin can neither read nor change
//!   anything: CORS is off, and requests that change something must come from the same origin.
//! - With [`Keys`], every request needs one. Keys are random, stored as hashes, compared in
//!   constant time, and have the scopes read and write. Each key has a rate.
//! - Clients name videos by HTTP addresses or uploads. Private addresses are refused, also after a
//!   redirect and after a name is resolved. Paths, other kinds of addresses, stages and publishers
//!   need an option ([`ServeOptions`]).
//! - Bodies, headers, uploads, requests and the number of open streams have limits.
//!
//! Errors are problem details (RFC 9457) with the fields of [`ErrorReport`](crate::ErrorReport).
//! All keys see the jobs of all users: a service belongs to one tenant.

mod admit;
mod clips;
mod dashboard;
mod events;
mod files;
mod guard;
mod jobs;
mod keys;
mod linger;
mod listen;
mod measure;
mod openapi;
mod options;
mod problem;
mod queues;
mod rate;
mod request;
mod router;
mod sessions;
mod state;
mod stream;
mod system;
mod uploads;
mod webhooks;

pub use keys::{Key, Keys, NewKey, Scope};
pub use listen::Server;
pub use measure::record_metrics;
pub use options::{ServeOptions, WebhookOptions};
pub use router::router;
