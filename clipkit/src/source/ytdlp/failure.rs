//! Why yt-dlp failed, by its exit code, its signal and what it wrote to stderr. Pure.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Recovery, scrub};

/// How yt-dlp ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exit {
    /// The exit code. `None` if a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) signal: Option<i32>,
    /// The last 2000 characters of stderr.
    pub(super) stderr: String,
}

/// Why yt-dlp failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    BotCheck,
    RateLimit,
    /// A rate limit of the session, which lasts for up to an hour.
    SessionLimit,
    Private,
    Removed,
    Region,
    Age,
    MembersOnly,
    Login,
    Live,
    Upcoming,
    Drm,
    NoJsRuntime,
    OutOfDate,
    NoFfmpeg,
    Unsupported,
    /// The server refuses the media's address, for example because it is bound to another network
    /// address or expired.
    Forbidden,
    DiskFull,
    Network,
    Killed,
    Unknown,
}

/// Parts of messages, in lower case, and what they mean. The first that is found decides.
const MESSAGES: &[(&str, Failure)] = &[
    ("not a bot", Failure::BotCheck),
    ("captcha", Failure::BotCheck),
    ("anti-bot", Failure::BotCheck),
    ("rate-limited by youtube", Failure::SessionLimit),
    ("this content isn't available, try again later", Failure::SessionLimit),
    ("http error 429", Failure::RateLimit),
    ("too many requests", Failure::RateLimit),
    ("rate-limit", Failure::RateLimit),
    ("rate limit", Failure::RateLimit),
    ("confirm your age", Failure::Age),
    ("age-restricted", Failure::Age),
    ("age restricted", Failure::Age),
    ("inappropriate for some users", Failure::Age),
    ("members-only", Failure::MembersOnly),
    ("members only", Failure::MembersOnly),
    ("channel's members", Failure::MembersOnly),
    ("join this channel", Failure::MembersOnly),
    ("subscriber-only", Failure::MembersOnly),
    ("only available to subscribers", Failure::MembersOnly),
    ("music premium members", Failure::MembersOnly),
    ("requires payment", Failure::MembersOnly),
    ("private video", Failure::Private),
    ("video is private", Failure::Private),
    ("account is private", Failure::Private),
    ("protected by a password", Failure::Private),
    ("video-password", Failure::Private),
    ("in your country", Failure::Region),
    ("from your location", Failure::Region),
    ("in your location", Failure::Region),
    ("in your region", Failure::Region),
    ("geo restrict", Failure::Region),
    ("geo-restrict", Failure::Region),
    ("live event will begin", Failure::Upcoming),
    ("premieres in", Failure::Upcoming),
    ("premiere will begin", Failure::Upcoming),
    ("has not started", Failure::Upcoming),
    ("not currently live", Failure::Live),
    ("is offline", Failure::Live),
    ("is currently live", Failure::Live),
    ("drm protected", Failure::Drm),
    ("uses drm", Failure::Drm),
    ("video unavailable", Failure::Removed),
    ("has been removed", Failure::Removed),
    ("been terminated", Failure::Removed),
    ("no longer available", Failure::Removed),
    ("does not exist", Failure::Removed),
    ("video not found", Failure::Removed),
    ("http error 404", Failure::Removed),
    ("http error 410", Failure::Removed),
    ("no space left", Failure::DiskFull),
    ("disk quota exceeded", Failure::DiskFull),
    ("ffmpeg is not installed", Failure::NoFfmpeg),
    ("ffmpeg not found", Failure::NoFfmpeg),
    ("no supported javascript runtime", Failure::NoJsRuntime),
    ("unsupported url", Failure::Unsupported),
    ("is not a valid url", Failure::Unsupported),
    ("no video formats found", Failure::OutOfDate),
    ("no video could be found", Failure::Unsupported),
    ("there's no video", Failure::Unsupported),
    ("login required", Failure::Login),
    ("log in", Failure::Login),
    ("logged-in", Failure::Login),
    ("registered users", Failure::Login),
    ("use --cookies", Failure::Login),
    ("http error 401", Failure::Login),
    ("http error 403", Failure::Forbidden),
    ("no such option", Failure::OutOfDate),
    ("n challenge solving failed", Failure::OutOfDate),
    ("nsig extraction failed", Failure::OutOfDate),
    ("signature extraction failed", Failure::OutOfDate),
    ("requested format is not available", Failure::OutOfDate),
    ("only images are available", Failure::OutOfDate),
    ("http error 5", Failure::Network),
    ("timed out", Failure::Network),
    ("timeout", Failure::Network),
    ("connection refused", Failure::Network),
    ("connection reset", Failure::Network),
    ("connection aborted", Failure::Network),
    ("name resolution", Failure::Network),
    ("name or service not known", Failure::Network),
    ("getaddrinfo", Failure::Network),
    ("failed to resolve", Failure::Network),
    ("network is unreachable", Failure::Network),
    ("no route to host", Failure::Network),
    ("remote end closed", Failure::Network),
    ("incompleteread", Failure::Network),
    ("bytes read", Failure::Network),
    ("ssl:", Failure::Network),
    ("certificate_verify_failed", Failure::Network),
    ("unable to connect", Failure::Network),
    ("unable to extract", Failure::OutOfDate),
    ("confirm you are on the latest version", Failure::OutOfDate),
    ("unable to download", Failure::Network),
];

/// Why yt-dlp failed.
pub(super) fn classify(exit: &Exit) -> Failure {
    if exit.signal.is_some() {
        return Failure::Killed;
    }
    // Typographic apostrophes as plain ones: "you\u{2019}re not a bot".
    let text = exit.stderr.to_lowercase().replace('\u{2019}', "'");
    // Warnings accompany failures that they did not cause, so errors decide where there are any.
    let errors: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with("error:")).collect();
    let said = if errors.is_empty() { text.clone() } else { errors.join("\n") };
    let found = MESSAGES.iter().find(|(part, _)| said.contains(part)).map(|(_, failure)| *failure);
    let lacks_runtime = text.contains("no supported javascript runtime");
    match found {
        // Without a runtime, formats are missing or refused.
        Some(Failure::OutOfDate | Failure::Forbidden) | None if lacks_runtime => Failure::NoJsRuntime,
        Some(failure) => failure,
        // Wrong options: this yt-dlp is older than the options that clipkit gives.
        None if exit.code == Some(2) => Failure::OutOfDate,
        None => Failure::Unknown,
    }
}

impl Failure {
    /// Whether a login, given as cookies, may help.
    pub(super) fn wants_login(self) -> bool {
        use Failure::{Age, BotCheck, Login, MembersOnly, Private, SessionLimit};
        matches!(self, BotCheck | SessionLimit | Private | Age | MembersOnly | Login)
    }

    /// Whether it helps to know yt-dlp's version.
    pub(super) fn depends_on_version(self) -> bool {
        matches!(self, Failure::OutOfDate | Failure::Unknown | Failure::Forbidden)
    }

    /// The error. `version` is yt-dlp's version with its age, where that is known.
    pub(super) fn error(self, exit: &Exit, version: Option<&str>) -> Error {
        let (kind, what, advice) = self.texts();
        let recovery = match self {
            Failure::SessionLimit => Recovery::Retry { after: Some(Duration::from_secs(3600)) },
            Failure::RateLimit => Recovery::Retry { after: Some(Duration::from_secs(60)) },
            Failure::Network | Failure::Forbidden | Failure::Killed => Recovery::Retry { after: None },
            _ if self.wants_login() => Recovery::RefreshCredentials,
            _ => Recovery::GiveUp,
        };
        let detail = match exit.signal {
            Some(signal) => format!(" (signal {signal})"),
            None => last_error(&exit.stderr)
                .map_or_else(|| exit.code.map_or(String::new(), |code| format!(" (exit code {code})")), |line| format!(": {line}")),
        };
        let mut advice = advice.to_owned();
        if let Some(version) = version.filter(|_| self.depends_on_version()) {
            advice = format!("{advice}; this is yt-dlp {version}");
        }
        Error::new(kind, format!("{what}{detail}")).with_recovery(recovery).with_advice(advice)
    }

    fn texts(self) -> (ErrorKind, &'static str, &'static str) {
        use ErrorKind as Kind;
        const UPDATE: &str = "update yt-dlp: `yt-dlp -U`, or `pip install -U \"yt-dlp[default]\"`";
        match self {
            Failure::BotCheck => (
                Kind::Denied,
                "the platform takes this machine for a bot",
                "give cookies of a logged-in browser (--cookies FILE) or a proxy (--proxy-metadata URL), or wait",
            ),
            Failure::RateLimit => (Kind::RateLimited, "the platform limits the requests", "wait some minutes"),
            Failure::SessionLimit => {
                (Kind::RateLimited, "the platform limits the requests of this machine", "wait for an hour, or give other cookies")
            }
            Failure::Private => (Kind::Denied, "the video is private", "give cookies of an account that may see it (--cookies FILE)"),
            Failure::Removed => (Kind::NotFound, "the video does not exist any more", "check the address"),
            Failure::Region => {
                (Kind::Denied, "the video is not available in this region", "give a proxy in a region that has it (--proxy-metadata URL)")
            }
            Failure::Age => (Kind::Denied, "the video has an age limit", "give cookies of an adult's account (--cookies FILE)"),
            Failure::MembersOnly => (Kind::Denied, "the video is for members only", "give cookies of a member's account (--cookies FILE)"),
            Failure::Login => (Kind::Denied, "the platform wants a login", "give cookies of an account (--cookies FILE)"),
            Failure::Live => (Kind::InvalidInput, "this is a live stream", "fetch its recording when it has ended"),
            Failure::Upcoming => (Kind::InvalidInput, "the video has not been published yet", "fetch it when it has started and ended"),
            Failure::Drm => (Kind::InvalidInput, "the video is protected by DRM", "give a file of your own"),
            Failure::NoJsRuntime => (
                Kind::Unavailable,
                "yt-dlp needs a JavaScript runtime for this platform",
                "install deno (2.3 or later) or Node (22 or later)",
            ),
            Failure::OutOfDate => (Kind::Unavailable, "yt-dlp cannot read this platform any more", UPDATE),
            Failure::NoFfmpeg => (Kind::Unavailable, "yt-dlp needs the ffmpeg program", "install ffmpeg"),
            Failure::Unsupported => (Kind::InvalidInput, "yt-dlp knows no video at this address", "give the address of one video"),
            Failure::Forbidden => (Kind::Network, "the platform refuses to send the media", UPDATE),
            Failure::DiskFull => (Kind::Io, "the disk is full", "free some space and run again"),
            Failure::Network => (Kind::Network, "the platform cannot be reached", "check the network"),
            Failure::Killed => (Kind::Unavailable, "yt-dlp was killed", "check the machine's memory"),
            Failure::Unknown => (Kind::InvalidInput, "yt-dlp failed", UPDATE),
        }
    }
}

/// The last error that yt-dlp wrote, without secrets, else its last line.
fn last_error(stderr: &str) -> Option<String> {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines().rfind(|line| line.starts_with("ERROR:")).or_else(|| lines().next_back())?;
    let line = line.strip_prefix("ERROR:").unwrap_or(line);
    // What follows is for those who report bugs.
    let line = line.split("; please report this issue").next().unwrap_or(line);
    let line = scrub(line, 300);
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(stderr: &str) -> Exit {
        Exit { code: Some(1), signal: None, stderr: stderr.into() }
    }

    /// Messages of yt-dlp 2026.10 and of the platforms.
    #[test]
    fn failures_are_recognized_by_what_yt_dlp_writes() {
        use ErrorKind as Kind;
        let login = "Recovery::RefreshCredentials";
        let rows: &[(&str, Failure, Kind, &str)] = &[
            (
                "ERROR: [youtube] dQw4w9WgXcQ: Sign in to confirm you\u{2019}re not a bot. Use --cookies-from-browser or --cookies",
                Failure::BotCheck,
                Kind::Denied,
                login,
            ),
            ("ERROR: [generic] Got HTTP Error 403 caused by Cloudflare anti-bot challenge", Failure::BotCheck, Kind::Denied, login),
            (
                "ERROR: [youtube] x: Unable to download API page: HTTP Error 429: Too Many Requests",
                Failure::RateLimit,
                Kind::RateLimited,
                "retry",
            ),
            (
                "ERROR: [Instagram] x: Requested content is not available, rate-limit reached or login required",
                Failure::RateLimit,
                Kind::RateLimited,
                "retry",
            ),
            (
                "ERROR: [youtube] x: The current session has been rate-limited by YouTube for up to an hour.",
                Failure::SessionLimit,
                Kind::RateLimited,
                "retry",
            ),
            (
                "ERROR: [youtube] x: Private video. Sign in if you've been granted access to this video",
                Failure::Private,
                Kind::Denied,
                login,
            ),
            (
                "ERROR: [vimeo] 1: This video is protected by a password, use the --video-password option",
                Failure::Private,
                Kind::Denied,
                login,
            ),
            (
                "ERROR: [youtube] x: Video unavailable. This video has been removed by the uploader",
                Failure::Removed,
                Kind::NotFound,
                "give_up",
            ),
            (
                "ERROR: [youtube] x: This video is no longer available because the YouTube account has been terminated.",
                Failure::Removed,
                Kind::NotFound,
                "give_up",
            ),
            ("ERROR: [generic] Unable to download webpage: HTTP Error 404: Not Found", Failure::Removed, Kind::NotFound, "give_up"),
            (
                "ERROR: [youtube] x: Video unavailable. The uploader has not made this video available in your country",
                Failure::Region,
                Kind::Denied,
                "give_up",
            ),
            (
                "ERROR: [bbc] x: This video is not available from your location due to geo restriction.",
                Failure::Region,
                Kind::Denied,
                "give_up",
            ),
            (
                "ERROR: [youtube] x: Sign in to confirm your age. This video may be inappropriate for some users.",
                Failure::Age,
                Kind::Denied,
                login,
            ),
            (
                "ERROR: [youtube] x: Join this channel to get access to members-only content like this video",
                Failure::MembersOnly,
                Kind::Denied,
                login,
            ),
            ("ERROR: [twitch:vod] x: This video is only available to subscribers", Failure::MembersOnly, Kind::Denied, login),
            ("ERROR: [youtube] x: This live event will begin in 2 days.", Failure::Upcoming, Kind::InvalidInput, "give_up"),
            ("ERROR: [youtube] x: Premieres in 3 hours", Failure::Upcoming, Kind::InvalidInput, "give_up"),
            ("ERROR: [youtube:tab] @x: The channel is not currently live", Failure::Live, Kind::InvalidInput, "give_up"),
            ("ERROR: [twitch:stream] x: The channel is offline", Failure::Live, Kind::InvalidInput, "give_up"),
            ("ERROR: [x] x: This video is DRM protected", Failure::Drm, Kind::InvalidInput, "give_up"),
            (
                "WARNING: [youtube] No supported JavaScript runtime could be found.\nERROR: [youtube] x: Requested format is not available",
                Failure::NoJsRuntime,
                Kind::Unavailable,
                "give_up",
            ),
            (
                "WARNING: [youtube] No supported JavaScript runtime could be found.\nERROR: [youtube] x: Private video",
                Failure::Private,
                Kind::Denied,
                login,
            ),
            (
                "ERROR: [youtube] x: Unable to extract player version; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the template. Confirm you are on the latest version using  yt-dlp -U",
                Failure::OutOfDate,
                Kind::Unavailable,
                "give_up",
            ),
            ("ERROR: [youtube] x: Requested format is not available. Use --list-formats", Failure::OutOfDate, Kind::Unavailable, "give_up"),
            (
                "ERROR: You have requested merging of multiple formats but ffmpeg is not installed. Aborting",
                Failure::NoFfmpeg,
                Kind::Unavailable,
                "give_up",
            ),
            ("ERROR: Unsupported URL: https://host/page?token=hunter2", Failure::Unsupported, Kind::InvalidInput, "give_up"),
            ("ERROR: unable to download video data: HTTP Error 403: Forbidden", Failure::Forbidden, Kind::Network, "retry"),
            ("ERROR: unable to write data: [Errno 28] No space left on device", Failure::DiskFull, Kind::Io, "give_up"),
            (
                "ERROR: [generic] Unable to download webpage: <urlopen error [Errno -3] Temporary failure in name resolution>",
                Failure::Network,
                Kind::Network,
                "retry",
            ),
            (
                "ERROR: [youtube] x: Unable to download API page: HTTP Error 503: Service Unavailable",
                Failure::Network,
                Kind::Network,
                "retry",
            ),
            ("ERROR: [x] x: Read timed out. (caused by TransportError)", Failure::Network, Kind::Network, "retry"),
            ("ERROR: [x] This video is only available for registered users. Use --cookies", Failure::Login, Kind::Denied, login),
            ("Traceback (most recent call last):\nKeyError: 'x'", Failure::Unknown, Kind::InvalidInput, "give_up"),
            ("", Failure::Unknown, Kind::InvalidInput, "give_up"),
        ];
        for (stderr, failure, kind, recovery) in rows {
            let exit = error(stderr);
            assert_eq!(classify(&exit), *failure, "{stderr}");
            let error = failure.error(&exit, None);
            let recovery = if *recovery == login { "refresh_credentials" } else { recovery };
            assert_eq!((error.kind(), error.recovery().action()), (*kind, recovery), "{stderr}");
            assert!(error.advice().is_some() && !error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn codes_and_signals_count_where_there_is_no_message() {
        let old = Exit { code: Some(2), signal: None, stderr: "yt-dlp: error: no such option: --js-runtimes".into() };
        assert_eq!(classify(&old), Failure::OutOfDate);
        assert_eq!(classify(&Exit { code: Some(2), ..Exit::default() }), Failure::OutOfDate);
        let killed = Exit { code: None, signal: Some(9), stderr: "ERROR: Private video".into() };
        assert_eq!(classify(&killed), Failure::Killed);
        assert!(Failure::Killed.error(&killed, None).to_string().contains("signal 9"));
        let text = Failure::OutOfDate.error(&old, Some("2024.01.01, 600 days old")).to_string();
        assert!(text.contains("2024.01.01") && text.contains("yt-dlp -U"), "{text}");
    }
}
