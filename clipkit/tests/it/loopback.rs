//! An HTTP server on loopback that reads whole requests, with faults: connections that break in the
//! middle of a request, answers that are lost.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A request as it arrived. The names of headers are in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Without the query, as it was sent.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// Whether the connection broke before the end of the body.
    pub(crate) cut: bool,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The values of the query, decoded.
    pub(crate) fn values(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn of(status: u16) -> Self {
        Reply { status, ..Reply::default() }
    }

    pub(crate) fn json(status: u16, body: serde_json::Value) -> Self {
        Reply::of(status).with("Content-Type", "application/json").body(body.to_string())
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The connection breaks when this many bytes of the body have arrived.
    Cut(usize),
    /// The request is done, and the connection breaks before the answer.
    LoseAnswer,
    /// The request is done twice, as by a proxy that repeats it; the second answer arrives.
    Twice,
}

pub(crate) struct Loopback {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Asked>>>,
    ended: Arc<AtomicBool>,
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

impl Loopback {
    /// `fault` sees the head of each request with its number, from 0; `answer` the whole.
    pub(crate) fn start(
        fault: impl Fn(usize, &Asked) -> Fault + Send + Sync + 'static,
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, ended) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::<AtomicBool>::default());
        let (log, end, work) = (seen.clone(), ended.clone(), Arc::new((fault, answer)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), log, work) = (stream, log.clone(), work.clone()) else { continue };
                std::thread::spawn(move || serve(stream, &log, &work.0, &work.1));
            }
        });
        Loopback { address, seen, ended }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Asked>>, fault: &dyn Fn(usize, &Asked) -> Fault, answer: &dyn Fn(&Asked) -> Reply) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let Some(mut asked) = head(&mut reader) else { return };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(asked.clone());
        log.len() - 1
    };
    let fault = fault(number, &asked);
    let most = if let Fault::Cut(most) = fault { most } else { usize::MAX };
    asked.cut = matches!(fault, Fault::Cut(_));
    if !body(&mut reader, &mut asked, most) {
        return;
    }
    log.lock().unwrap()[number] = asked.clone();
    let mut reply = answer(&asked);
    if fault == Fault::Twice {
        reply = answer(&asked);
    }
    if !matches!(fault, Fault::Cut(_) | Fault::LoseAnswer) {
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", reply.status);
        if asked.method != "HEAD" {
            head += &format!("Content-Length: {}\r\n", reply.body.len());
        }
        for (name, value) in &reply.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let _ = stream.write_all(format!("{head}\r\n").as_bytes());
        if asked.method != "HEAD" {
            let _ = stream.write_all(&reply.body);
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

fn head(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    let mut next = || {
        line.clear();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let first = next()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = BTreeMap::new();
    loop {
        let line = next()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    Some(Asked { method, path: path.to_owned(), query: query.to_owned(), headers, body: Vec::new(), cut: false })
}

/// Reads the body, of which the first `most` bytes arrive. `false` means that the client broke off.
fn body(reader: &mut impl BufRead, asked: &mut Asked, most: usize) -> bool {
    if asked.header("transfer-encoding") == Some("chunked") {
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).is_err() {
                return false;
            }
            let Ok(length) = usize::from_str_radix(line.trim(), 16) else { return false };
            let mut chunk = vec![0; length + 2];
            if reader.read_exact(&mut chunk).is_err() {
                return false;
            }
            asked.body.extend_from_slice(&chunk[..length]);
            if length == 0 {
                return true;
            }
        }
    }
    let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let read = reader.take(most.min(length) as u64).read_to_end(&mut asked.body);
    read.is_ok() && asked.body.len() == length.min(most)
}
