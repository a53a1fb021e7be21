//! The table of refusals. Sources: the platforms' pages on errors, read in November 2026.

use std::time::Duration;

use crate::error::ErrorKind::{self, Config, Denied, InvalidInput, Network, NotFound, RateLimited};

/// A server that clips are published to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Webhook,
    YouTube,
    TikTok,
    Instagram,
}

impl Server {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Server::Webhook => "the webhook's receiver",
            Server::YouTube => "YouTube",
            Server::TikTok => "TikTok",
            Server::Instagram => "Instagram",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Any,
    Is(u16),
    /// From the first to the last.
    From(u16, u16),
}

/// What can follow from a refusal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Follow {
    /// New credentials, then the same again.
    Refresh,
    /// Another encoding, then the same again.
    Reencode,
    /// The same again, after the wait that the server asks for or one that grows.
    BackOff,
    /// The same again, after the wait that the server asks for, else this one.
    Wait(Duration),
    /// The same again after the next midnight in this time zone.
    Midnight(&'static str),
    /// Nothing: the same fails again.
    GiveUp,
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Rule {
    /// `None` means every server.
    pub(super) server: Option<Server>,
    pub(super) status: Status,
    /// The server's own code. `None` means every code.
    pub(super) reason: Option<&'static str>,
    pub(super) kind: ErrorKind,
    pub(super) follow: Follow,
    pub(super) meaning: &'static str,
    pub(super) advice: &'static str,
}

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MINUTE: Duration = Duration::from_secs(60);
/// Quotas of Google's APIs begin anew at midnight there.
const PACIFIC: Follow = Follow::Midnight("America/Los_Angeles");

const fn rule(
    server: Option<Server>,
    status: Status,
    reason: Option<&'static str>,
    kind: ErrorKind,
    follow: Follow,
    (meaning, advice): (&'static str, &'static str),
) -> Rule {
    Rule { server, status, reason, kind, follow, meaning, advice }
}

const fn youtube(status: u16, reason: &'static str, kind: ErrorKind, follow: Follow, text: (&'static str, &'static str)) -> Rule {
    rule(Some(Server::YouTube), Status::Is(status), Some(reason), kind, follow, text)
}

/// TikTok's codes say all; the status is mostly 200, 400 or 403.
const fn tiktok(reason: &'static str, kind: ErrorKind, follow: Follow, text: (&'static str, &'static str)) -> Rule {
    rule(Some(Server::TikTok), Status::Any, Some(reason), kind, follow, text)
}

/// Instagram's codes are `code/subcode`, or `code` where there is no subcode.
const fn instagram(reason: &'static str, kind: ErrorKind, follow: Follow, text: (&'static str, &'static str)) -> Rule {
    rule(Some(Server::Instagram), Status::Any, Some(reason), kind, follow, text)
}

const fn every(status: Status, kind: ErrorKind, follow: Follow, text: (&'static str, &'static str)) -> Rule {
    rule(None, status, None, kind, follow, text)
}

const LOGIN: &str = "log in again: clipkit login";
const SHORTEN: &str = "change the post's texts";
const FILE: &str = "encode the clip with the platform's strict preset";

/// The first row that applies decides.
pub(super) static RULES: &[Rule] = &[
    // YouTube: daily quotas, limits of the channel, rights, texts, the file.
    youtube(403, "quotaExceeded", RateLimited, PACIFIC, ("the project's quota of today is used up", "")),
    youtube(403, "dailyLimitExceeded", RateLimited, PACIFIC, ("the project's quota of today is used up", "")),
    youtube(
        403,
        "dailyLimitExceededUnreg",
        Config,
        Follow::GiveUp,
        ("the project has no access to the API", "turn on the YouTube Data API"),
    ),
    youtube(403, "accessNotConfigured", Config, Follow::GiveUp, ("the project has no access to the API", "turn on the YouTube Data API")),
    // Not a matter of seconds: it counts the uploads of a day.
    youtube(429, "rateLimitExceeded", RateLimited, PACIFIC, ("the project's uploads of today are used up", "")),
    youtube(403, "rateLimitExceeded", RateLimited, Follow::Wait(MINUTE), ("too many requests", "")),
    youtube(403, "userRateLimitExceeded", RateLimited, Follow::Wait(MINUTE), ("too many requests", "")),
    youtube(
        400,
        "uploadLimitExceeded",
        RateLimited,
        Follow::Wait(Duration::from_secs(6 * 3600)),
        ("the channel may upload no more today", ""),
    ),
    youtube(401, "youtubeSignupRequired", Denied, Follow::GiveUp, ("the account has no channel", "make a channel on YouTube")),
    youtube(403, "youtubeSignupRequired", Denied, Follow::GiveUp, ("the account has no channel", "make a channel on YouTube")),
    youtube(403, "insufficientPermissions", Denied, Follow::GiveUp, ("the login does not allow this", LOGIN)),
    youtube(403, "forbidden", Denied, Follow::GiveUp, ("this is not allowed", "look at the channel's rights")),
    youtube(403, "forbiddenPrivacySetting", Denied, Follow::GiveUp, ("the privacy setting is not allowed", "use another privacy")),
    youtube(403, "forbiddenLicenseSetting", Denied, Follow::GiveUp, ("the licence is not allowed", "")),
    youtube(400, "invalidTitle", InvalidInput, Follow::GiveUp, ("the title is not accepted", SHORTEN)),
    youtube(400, "invalidDescription", InvalidInput, Follow::GiveUp, ("the description is not accepted", SHORTEN)),
    youtube(400, "invalidTags", InvalidInput, Follow::GiveUp, ("the tags are not accepted", SHORTEN)),
    youtube(400, "invalidVideoMetadata", InvalidInput, Follow::GiveUp, ("the texts or settings are not accepted", SHORTEN)),
    youtube(400, "invalidCategoryId", InvalidInput, Follow::GiveUp, ("the category is not accepted", "set another category")),
    youtube(400, "invalidPublishAt", InvalidInput, Follow::GiveUp, ("the time to publish is not accepted", "give a time in the future")),
    youtube(400, "invalidFilename", InvalidInput, Follow::GiveUp, ("the file's name is not accepted", "")),
    youtube(400, "mediaBodyRequired", InvalidInput, Follow::Reencode, ("it finds no video in the file", FILE)),
    youtube(400, "codec", InvalidInput, Follow::Reencode, ("it cannot decode the file", FILE)),
    youtube(400, "conversion", InvalidInput, Follow::Reencode, ("it cannot convert the file", FILE)),
    youtube(400, "invalidFile", InvalidInput, Follow::Reencode, ("it cannot read the file", FILE)),
    youtube(400, "emptyFile", InvalidInput, Follow::Reencode, ("the file is empty", FILE)),
    // TikTok: tokens and rights, rates, caps, the file, what stays refused.
    tiktok("access_token_invalid", Denied, Follow::Refresh, ("the access token is not valid", LOGIN)),
    tiktok("scope_not_authorized", Denied, Follow::GiveUp, ("the login does not allow this", LOGIN)),
    tiktok("scope_permission_missed", Denied, Follow::GiveUp, ("the login does not allow this", LOGIN)),
    tiktok("rate_limit_exceeded", RateLimited, Follow::Wait(MINUTE), ("too many requests", "")),
    tiktok("internal_error", Network, Follow::BackOff, ("it has a problem", "")),
    tiktok("internal", Network, Follow::BackOff, ("it has a problem", "")),
    tiktok("spam_risk_too_many_posts", RateLimited, Follow::Wait(DAY), ("the account may post no more for a day", "")),
    tiktok(
        "spam_risk_too_many_pending_share",
        RateLimited,
        Follow::Wait(DAY),
        ("too many drafts wait in the inbox", "post or remove drafts in the app"),
    ),
    tiktok("reached_active_user_cap", RateLimited, Follow::Wait(DAY), ("the app serves no more accounts for a day", "")),
    tiktok("file_format_check_failed", InvalidInput, Follow::Reencode, ("the file's format is not accepted", FILE)),
    tiktok("duration_check_failed", InvalidInput, Follow::Reencode, ("the clip's length is not accepted", FILE)),
    tiktok("frame_rate_check_failed", InvalidInput, Follow::Reencode, ("the frame rate is not accepted", FILE)),
    tiktok("picture_size_check_failed", InvalidInput, Follow::Reencode, ("the picture's size is not accepted", FILE)),
    tiktok("spam_risk_user_banned_from_posting", Denied, Follow::GiveUp, ("the account may not post", "look at the account in the app")),
    tiktok(
        "privacy_level_option_mismatch",
        InvalidInput,
        Follow::GiveUp,
        ("the account does not offer this privacy", "use another privacy"),
    ),
    tiktok(
        "unaudited_client_can_only_post_to_private_accounts",
        Denied,
        Follow::GiveUp,
        ("an app without audit posts to private accounts only", "post to the inbox, or have the app audited"),
    ),
    tiktok("invalid_params", InvalidInput, Follow::GiveUp, ("the request is not accepted", SHORTEN)),
    tiktok("invalid_param", InvalidInput, Follow::GiveUp, ("the request is not accepted", SHORTEN)),
    tiktok("invalid_publish_id", NotFound, Follow::GiveUp, ("it does not know the upload", "")),
    tiktok("token_not_authorized_for_specified_publish_id", Denied, Follow::GiveUp, ("the upload is another account's", LOGIN)),
    tiktok("invalid_file_upload", InvalidInput, Follow::Reencode, ("the file is not accepted", FILE)),
    tiktok("spam_risk_text", InvalidInput, Follow::GiveUp, ("it takes the texts for spam", SHORTEN)),
    tiktok("spam_risk", Denied, Follow::GiveUp, ("it takes the post for spam", "look at the account in the app")),
    tiktok("auth_removed", Denied, Follow::GiveUp, ("the account has removed the app's access", LOGIN)),
    tiktok("publish_cancelled", InvalidInput, Follow::GiveUp, ("somebody cancelled the post in the app", "")),
    tiktok("app_version_check_failed", Denied, Follow::GiveUp, ("the account's app is too old for drafts", "update the app")),
    // Instagram: tokens and rights, caps, containers.
    instagram("190", Denied, Follow::Refresh, ("the access token is not valid", LOGIN)),
    instagram("10", Denied, Follow::GiveUp, ("the login does not allow this", LOGIN)),
    instagram("200", Denied, Follow::GiveUp, ("the login does not allow this", LOGIN)),
    instagram("9/2207042", RateLimited, Follow::Wait(DAY), ("the account may post no more for a day", "")),
    instagram("4/2207051", RateLimited, Follow::Wait(DAY), ("it takes the account's activity for spam", "look at the account in the app")),
    instagram("4", RateLimited, Follow::Wait(HOUR), ("the app makes too many requests", "")),
    instagram("-2/2207020", Network, Follow::BackOff, ("the upload has expired and begins anew", "")),
    instagram("-1/2207001", Network, Follow::BackOff, ("it has a problem", "")),
    instagram("-1/2207032", Network, Follow::BackOff, ("it could not make the post", "")),
    instagram("-1/2207053", Network, Follow::BackOff, ("the upload failed and begins anew", "")),
    instagram("-2/2207003", Network, Follow::BackOff, ("the upload took too long", "")),
    instagram("24/2207006", Denied, Follow::GiveUp, ("it does not find the upload, or the login does not allow this", LOGIN)),
    instagram("24/2207008", Network, Follow::BackOff, ("it could not publish the upload", "")),
    instagram("25/2207050", Denied, Follow::GiveUp, ("the account is restricted", "look at the account in the app")),
    instagram("9007/2207027", Network, Follow::BackOff, ("the upload is not ready", "")),
    instagram("36004/2207010", InvalidInput, Follow::GiveUp, ("the caption is not accepted", SHORTEN)),
    instagram("352/2207026", InvalidInput, Follow::Reencode, ("the file's format is not accepted", FILE)),
    instagram("36003/2207009", InvalidInput, Follow::Reencode, ("the picture's shape is not accepted", FILE)),
    // An upload whose processing failed, without a code that says more.
    instagram("media_error", InvalidInput, Follow::Reencode, ("it could not process the file", FILE)),
    // Of the server of uploads.
    instagram("NotAuthorizedError", Denied, Follow::Refresh, ("the access token is not valid", LOGIN)),
    rule(
        Some(Server::Instagram),
        Status::Is(400),
        Some("ProcessingFailedError"),
        InvalidInput,
        Follow::Reencode,
        ("it could not process the file", FILE),
    ),
    instagram("1", Network, Follow::BackOff, ("it has a problem", "")),
    instagram("2", Network, Follow::BackOff, ("it has a problem", "")),
    instagram("17", RateLimited, Follow::Wait(HOUR), ("too many requests", "")),
    instagram("32", RateLimited, Follow::Wait(HOUR), ("too many requests", "")),
    instagram("613", RateLimited, Follow::Wait(HOUR), ("too many requests", "")),
    // The receiver of a webhook has no tokens, and decides about the file itself.
    rule(
        Some(Server::Webhook),
        Status::Is(401),
        None,
        Denied,
        Follow::GiveUp,
        ("it does not accept the signature", "compare the secret on both sides, and the clocks"),
    ),
    rule(Some(Server::Webhook), Status::Is(404), None, NotFound, Follow::GiveUp, ("there is no receiver", "check the address")),
    rule(Some(Server::Webhook), Status::Is(405), None, Config, Follow::GiveUp, ("it takes no POST", "check the address")),
    rule(
        Some(Server::Webhook),
        Status::Is(413),
        None,
        InvalidInput,
        Follow::GiveUp,
        ("the clip is too large for it", "raise the receiver's limit, or send no video (video: false)"),
    ),
    rule(
        Some(Server::Webhook),
        Status::From(300, 399),
        None,
        Config,
        Follow::GiveUp,
        ("it redirects, and a redirect with this status would lose the clip", "give the final address"),
    ),
    // Every server, by the standard's meaning of the status (RFC 9110, RFC 6585).
    every(Status::Is(401), Denied, Follow::Refresh, ("the access token is not valid", LOGIN)),
    every(Status::Is(403), Denied, Follow::GiveUp, ("this is not allowed", LOGIN)),
    every(Status::Is(404), NotFound, Follow::GiveUp, ("it does not know this", "")),
    every(Status::Is(410), NotFound, Follow::GiveUp, ("this is gone", "")),
    every(Status::Is(408), Network, Follow::BackOff, ("the request took too long", "")),
    every(Status::Is(409), Network, Follow::BackOff, ("another request is under way", "")),
    every(Status::Is(413), InvalidInput, Follow::Reencode, ("the file is too large", FILE)),
    every(Status::Is(415), InvalidInput, Follow::Reencode, ("the file's format is not accepted", FILE)),
    every(Status::Is(425), Network, Follow::BackOff, ("it is too early", "")),
    every(Status::Is(429), RateLimited, Follow::Wait(MINUTE), ("too many requests", "")),
    every(Status::From(500, 599), Network, Follow::BackOff, ("it has a problem", "")),
    every(Status::From(400, 499), InvalidInput, Follow::GiveUp, ("the request is not accepted", "")),
];
