use super::*;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;
const AFTER: Duration = Duration::from_secs(77);

fn statuses(status: Status) -> Vec<u16> {
    match status {
        // What such servers really answer.
        Status::Any => vec![200, 400, 401, 403, 429, 500],
        Status::Is(one) => vec![one],
        Status::From(first, last) => vec![first, last],
    }
}

/// Every row is reached by the refusals that it describes, and gives what it says.
#[test]
fn each_row_of_the_table_gives_its_error() {
    let mut wrong = Vec::new();
    for (number, row) in RULES.iter().enumerate() {
        let servers = row.server.map_or(vec![Server::YouTube, Server::TikTok, Server::Instagram], |server| vec![server]);
        for (server, status) in servers.iter().flat_map(|server| statuses(row.status).into_iter().map(move |status| (*server, status))) {
            // A code that no row names stands for all others.
            let refusal = Refusal { status, reason: row.reason.unwrap_or("other"), after: Some(AFTER) };
            let found = rule(server, &refusal);
            let reached = found.is_some_and(|found| std::ptr::eq(found, row));
            // A wider row is not reached where a narrower one applies.
            let narrower = found.is_some_and(|found| matches!((found.status, row.status), (Status::Is(_), Status::From(..))));
            if !reached && !narrower {
                wrong.push(format!("row {number} {row:?} is not reached by {server:?} {status}, but {found:?}"));
                continue;
            }
            if !reached {
                continue;
            }
            let error = judge(server, &refusal, NOW);
            let expected = match row.follow {
                Follow::Refresh => Recovery::RefreshCredentials,
                Follow::Reencode => Recovery::Reencode,
                Follow::BackOff | Follow::Wait(_) => Recovery::Retry { after: Some(AFTER) },
                Follow::Midnight(zone) => Recovery::WaitUntil(next_midnight(zone, NOW)),
                Follow::GiveUp => Recovery::GiveUp,
            };
            if error.kind() != row.kind || *error.recovery() != expected || !error.to_string().contains(row.meaning) {
                wrong.push(format!("row {number}: {error:?}"));
            }
        }
    }
    assert!(RULES.len() > 50 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn waits_have_a_usual_length_where_the_server_names_none() {
    let ask = |server, status, reason| judge(server, &Refusal { status, reason, after: None }, NOW).recovery().clone();
    assert_eq!(ask(Server::Webhook, 429, ""), Recovery::Retry { after: Some(Duration::from_secs(60)) });
    assert_eq!(ask(Server::Webhook, 503, ""), Recovery::Retry { after: None });
    assert_eq!(ask(Server::TikTok, 200, "spam_risk_too_many_posts"), Recovery::Retry { after: Some(Duration::from_secs(86_400)) });
}

#[test]
fn a_status_that_no_row_names_is_an_error_all_the_same() {
    for status in [0, 100, 200, 302, 999] {
        let error = judge(Server::YouTube, &Refusal { status, reason: "", after: None }, NOW);
        assert_eq!((error.kind(), error.recovery()), (ErrorKind::Contract, &Recovery::GiveUp), "{status}");
    }
}

#[test]
fn quotas_begin_anew_at_midnight_in_california_also_when_clocks_change() {
    let at = |text: &str| SystemTime::try_from(text.parse::<Timestamp>().unwrap()).unwrap();
    for (now, midnight) in [
        ("2026-11-28T11:00:00Z", "2026-11-29T08:00:00Z"),
        ("2026-07-01T06:59:59Z", "2026-07-01T07:00:00Z"),
        ("2026-07-01T07:00:00Z", "2026-07-02T07:00:00Z"),
        // The clocks go forward on 8 March and back on 1 November 2026.
        ("2026-03-08T09:00:00Z", "2026-03-09T07:00:00Z"),
        ("2026-11-01T08:30:00Z", "2026-11-02T08:00:00Z"),
    ] {
        assert_eq!(next_midnight("America/Los_Angeles", at(now)), at(midnight), "{now}");
    }
    assert_eq!(next_midnight("Nowhere/Here", NOW), NOW + Duration::from_secs(86_400));
}

/// Meta gives a code with or without a subcode, and for a container only the subcode.
#[test]
fn codes_are_found_with_and_without_their_subcodes() {
    let action = |reason| judge(Server::Instagram, &Refusal { status: 400, reason, after: None }, NOW).recovery().action();
    for (reason, expected) in [
        ("190", "refresh_credentials"),
        ("190/463", "refresh_credentials"),
        ("4/2207051", "retry"),
        ("4/7", "retry"),
        ("/2207026", "reencode"),
        ("/2207042", "retry"),
        ("/9999999", "give_up"),
        ("100/33", "give_up"),
        ("40", "give_up"),
    ] {
        assert_eq!(action(reason), expected, "{reason}");
    }
}
