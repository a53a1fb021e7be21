//! The server: connections, their limits, and how it stops.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::{Builder, UpgradeableConnection};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower_http::add_extension::AddExtension;

use super::options::ServeOptions;
use super::router::router;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::jobs::Jobs;
use crate::serve::Keys;

/// Connections that may be open at a time.
const CONNECTIONS: usize = 2048;
/// The longest time for the head of a request.
const HEAD: Duration = Duration::from_secs(15);
/// How long open requests may go on when the server stops.
const DRAIN: Duration = Duration::from_secs(8);
/// The wait after a connection could not be accepted, for example because too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// The service on an address.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    stop: Context,
}

impl Server {
    /// Binds the service to an address: `127.0.0.1:8080`; port 0 means any.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the address is none, if there are no API keys and it is not a
    /// loopback address, or for impossible options; [`ErrorKind::Io`] if it is in use.
    pub async fn bind(address: &str, jobs: Jobs, options: ServeOptions) -> Result<Server> {
        let failed = |error: std::io::Error| {
            let kind = if error.kind() == std::io::ErrorKind::InvalidInput { ErrorKind::Config } else { ErrorKind::Io };
            Error::new(kind, format!("cannot listen on {address}: {error}")).with_advice("give another address (--bind 127.0.0.1:8081)")
        };
        let mut found = tokio::net::lookup_host(address).await.map_err(failed)?;
        let wanted = found.next().ok_or_else(|| Error::new(ErrorKind::Config, format!("{address} is no address")))?;
        let locked = match &options.keys {
            Some(path) => Keys::in_file(path).any()?,
            None => false,
        };
        if !wanted.ip().is_loopback() && !locked {
            return Err(Error::new(ErrorKind::Config, format!("{wanted} can be reached from elsewhere, and there are no API keys"))
                .with_advice("make a key (clipkit serve key add NAME), or bind to 127.0.0.1"));
        }
        let stop = options.cx.clone();
        let router = router(jobs, options).await?;
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Server { listener, address, router, stop })
    }

    /// The address, with the port that it has.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `cx` is cancelled. Then event streams end, other open requests have
    /// 8 s, and what is open after that is dropped.
    ///
    /// # Errors
    ///
    /// None at present; connections that fail are their clients' concern.
    pub async fn run(self, cx: &Context) -> Result<()> {
        let Server { listener, router, stop, .. } = self;
        let (graceful, places) = (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS)));
        loop {
            let place = places.clone().acquire_owned();
            let accepted = tokio::select! {
                () = cx.cancelled() => break,
                // Without a free place, clients wait in the system's queue.
                accepted = async { (place.await, listener.accept().await) } => accepted,
            };
            let (Ok(place), Ok((stream, peer))) = accepted else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let connection = graceful.watcher().watch(connection(stream, peer, router.clone()));
            tokio::spawn(async move {
                let _place = place;
                if let Err(error) = connection.await {
                    tracing::debug!(%peer, "a connection ended: {error}");
                }
            });
        }
        drop(listener);
        // Event streams never end by themselves.
        stop.cancel();
        if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests that did not end in {} s are dropped", DRAIN.as_secs());
        }
        Ok(())
    }
}

/// The router, told who asks.
type Told = TowerToHyperService<AddExtension<Router, ConnectInfo<SocketAddr>>>;

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> UpgradeableConnection<'static, TokioIo<TcpStream>, Told, TokioExecutor> {
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(AddExtension::new(router, ConnectInfo(peer)));
    // Slow heads hold a connection; slow bodies have limits of their own.
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(64);
    builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned()
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}
