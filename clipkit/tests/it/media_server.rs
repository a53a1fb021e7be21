//! An HTTP server on loopback that speaks just as a test says, faults included.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it arrived. The names of headers are in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The first byte that a range request asks for.
    pub(crate) fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
    }
}

/// The server. Each connection carries one request; it ends with the test's process.
pub(crate) struct MediaServer {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl MediaServer {
    /// `answer` writes the response to the request with this number, from 0.
    pub(crate) fn start(answer: impl Fn(usize, &Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let (seen, answer) = (requests.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, seen, answer) = (stream.unwrap(), seen.clone(), answer.clone());
                std::thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    let number = {
                        let mut seen = seen.lock().unwrap();
                        seen.push(request.clone());
                        seen.len() - 1
                    };
                    answer(number, &request, &mut stream);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        MediaServer { address, requests }
    }

    /// A server that keeps to the standard, with one file at every path.
    pub(crate) fn with_file(bytes: Vec<u8>, headers: &'static str) -> Self {
        MediaServer::start(move |_, request, stream| send(stream, request, &bytes, headers, usize::MAX))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    Some(Request { method, path, headers })
}

/// Writes text. A client that has gone is no failure.
pub(crate) fn write(stream: &mut TcpStream, text: &str) {
    let _ = stream.write_all(text.as_bytes());
}

/// Answers as the standard says: ranges, `If-Range`, `If-None-Match`. The connection breaks after
/// `most` bytes of the body. `headers` are complete lines.
pub(crate) fn send(stream: &mut TcpStream, request: &Request, bytes: &[u8], headers: &str, most: usize) {
    let tag = headers.lines().find_map(|line| line.strip_prefix("ETag: "));
    if tag.is_some() && request.header("if-none-match") == tag {
        return write(stream, &format!("HTTP/1.1 304 Not Modified\r\n{headers}\r\n"));
    }
    let is_same = request.header("if-range").is_none_or(|asked| Some(asked) == tag);
    let range = request.header("range").filter(|_| is_same).and_then(|range| {
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse::<usize>().ok()?, last.parse::<usize>().unwrap_or(usize::MAX).min(bytes.len().wrapping_sub(1))))
    });
    let (head, body) = match range {
        Some((first, _)) if first >= bytes.len() => {
            return write(stream, &format!("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{}\r\n\r\n", bytes.len()));
        }
        Some((first, last)) => {
            (format!("206 Partial Content\r\nContent-Range: bytes {first}-{last}/{}", bytes.len()), &bytes[first..=last])
        }
        None => ("200 OK".to_owned(), bytes),
    };
    write(stream, &format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len()));
    if request.method != "HEAD" {
        let _ = stream.write_all(&body[..body.len().min(most)]);
    }
}
