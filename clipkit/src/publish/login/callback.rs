//! The server on loopback to which the browser comes back.

use std::io::{ErrorKind as Io, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use url::Url;

use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};

const POLL: Duration = Duration::from_millis(50);
/// How long a browser may take to send its request.
const PATIENCE: Duration = Duration::from_millis(500);
const LONGEST_HEAD: usize = 16 << 10;

/// Waits for the browser. Returns the code that the platform gave it. Requests without the right
/// state come from somebody else, and are refused.
pub(super) fn wait(cx: &Context, listener: &TcpListener, path: &str, state: &str, until: Instant) -> Result<String> {
    let unusable = |error| Error::new(ErrorKind::Io, format!("cannot wait for the browser: {error}"));
    listener.set_nonblocking(true).map_err(unusable)?;
    loop {
        cx.check()?;
        if Instant::now() >= until {
            return Err(Error::new(ErrorKind::TimedOut, "nobody logged in").with_advice("run it again, and open the address"));
        }
        match listener.accept() {
            Ok((mut stream, _)) => {
                let Some(target) = target(&mut stream) else { continue };
                match judge(&target, path, state) {
                    Visit::Other => answer(&mut stream, 404, "There is nothing here."),
                    Visit::Code(code) => {
                        answer(&mut stream, 200, "You are logged in. You can close this window.");
                        return Ok(code);
                    }
                    Visit::Refused(why) => {
                        answer(&mut stream, 200, "The login was refused. You can close this window.");
                        return Err(Error::new(ErrorKind::Denied, format!("the login was refused: {why}")));
                    }
                }
            }
            Err(error) if matches!(error.kind(), Io::WouldBlock | Io::Interrupted) => std::thread::sleep(POLL),
            Err(error) => return Err(unusable(error)),
        }
    }
}

/// What a request means.
#[derive(Debug, PartialEq, Eq)]
enum Visit {
    Code(String),
    Refused(String),
    Other,
}

fn judge(target: &str, path: &str, state: &str) -> Visit {
    let Ok(url) = Url::parse("http://127.0.0.1/").and_then(|base| base.join(target)) else { return Visit::Other };
    let value = |name: &str| url.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned());
    if url.path() != path || value("state").as_deref() != Some(state) {
        return Visit::Other;
    }
    match (value("code"), value("error")) {
        (Some(code), _) if !code.is_empty() => Visit::Code(code),
        (_, Some(error)) => Visit::Refused(error.chars().filter(|letter| letter.is_ascii_lowercase() || *letter == '_').take(60).collect()),
        _ => Visit::Other,
    }
}

/// The target of a request: `/?code=...`. `None` if it is none.
fn target(stream: &mut TcpStream) -> Option<String> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let (mut head, mut piece) = (Vec::new(), [0; 2048]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut piece).ok().filter(|read| *read > 0)?;
        head.extend_from_slice(&piece[..read]);
        if head.len() > LONGEST_HEAD {
            return None;
        }
    }
    let head = String::from_utf8(head).ok()?;
    let mut words = head.lines().next()?.split(' ');
    (words.next()? == "GET").then_some(())?;
    words.next().filter(|target| target.starts_with('/')).map(str::to_owned)
}

fn answer(stream: &mut TcpStream, status: u16, text: &str) {
    let page = format!("<!doctype html><meta charset=utf-8><title>clipkit</title><p>{text}</p>");
    // A browser that has gone needs no page.
    let _ = write!(
        stream,
        "HTTP/1.1 {status} OK\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{page}",
        page.len()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_state_gives_a_code() {
        assert_eq!(judge("/?code=a%2Fb&state=s", "/", "s"), Visit::Code("a/b".into()));
        assert_eq!(judge("/?state=s&error=access_denied", "/", "s"), Visit::Refused("access_denied".into()));
        assert_eq!(judge("/callback/?code=a&state=s", "/callback/", "s"), Visit::Code("a".into()));
        assert_eq!(judge("/?code=a&state=s", "/callback/", "s"), Visit::Other);
        for other in [
            "/",
            "/?code=a",
            "/?code=a&state=t",
            "/?code=&state=s",
            "/favicon.ico?code=a&state=s",
            "/x?code=a&state=s",
            "//evil/?code=a&state=t",
        ] {
            assert_eq!(judge(other, "/", "s"), Visit::Other, "{other}");
        }
    }
}
