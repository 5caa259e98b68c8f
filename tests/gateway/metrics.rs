//! Figures, in the text format of Prometheus.

use std::collections::BTreeMap;

use crate::common::Stage;

/// Samples by their names and labels.
type Samples = BTreeMap<String, f64>;

/// Reads the text format, version 0.0.4, as strictly as its description has it: every sample belongs to the
/// family before it, every family has one help and one type, and no sample comes twice.
fn read(text: &str) -> Samples {
    assert!(text.ends_with('\n'));
    let (mut samples, mut types) = (Samples::new(), BTreeMap::new());
    let mut help = None;
    let mut family = ("", "");
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("# HELP ") {
            help = line.split_once(' ').map(|(name, _)| name);
        } else if let Some(line) = line.strip_prefix("# TYPE ") {
            family = line.split_once(' ').expect("a name and a type");
            assert_eq!(help, Some(family.0), "the help comes first");
            assert!(["counter", "gauge", "histogram"].contains(&family.1), "{line}");
            assert_eq!(types.insert(family.0, family.1), None, "{line}: once");
            assert_eq!(family.0.ends_with("_total"), family.1 == "counter", "{line}");
        } else {
            let (sample, value) = line.rsplit_once(' ').expect("a sample and its value");
            let name = sample.split('{').next().unwrap_or_default();
            assert!(name.starts_with("rehearsal_"), "{line}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
            let suffix = name.strip_prefix(family.0).expect("it is of the family before it");
            let suffixes: &[&str] = if family.1 == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.contains(&suffix), "{line}");
            let labels = sample[name.len()..].strip_prefix('{').map_or(Some(""), |labels| labels.strip_suffix('}'));
            check_labels(labels.expect("braces come in pairs"));
            let value = value.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(samples.insert(sample.to_owned(), value), None, "{line}: once");
        }
    }
    samples
}

/// `name="value"`, with commas between them.
fn check_labels(mut rest: &str) {
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").expect("a name and a value");
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}");
        let mut escaped = false;
        let end = value.find(|character| {
            let ends = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            ends
        });
        rest = &value[end.expect("a value ends") + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

fn figures(stage: &Stage, headers: &[(&str, &str)]) -> Samples {
    let told = stage.ask("GET", "/metrics", headers, b"");
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!((told.status, told.header("content-type")), (200, Some(media_type)));
    read(&String::from_utf8(told.body).expect("it is UTF-8"))
}

#[test]
fn what_happened_is_counted() {
    let stage = Stage::plain();
    for _ in 0..3 {
        assert_eq!(stage.get("/shop/items/7").status, 200);
    }
    assert_eq!(stage.get("/shop/panics").status, 500);
    stage.answers();
    let figures = figures(&stage, &[]);
    for (sample, value) in [
        ("rehearsal_gateway_up", 1.0),
        (r#"rehearsal_outcomes_total{interface="rest",outcome="reply"}"#, 3.0),
        (r#"rehearsal_outcomes_total{interface="rest",outcome="error"}"#, 1.0),
        (r#"rehearsal_outcomes_total{interface="rpc",outcome="reply"}"#, 1.0),
        (r#"rehearsal_http_requests_total{route="rest",status="200"}"#, 3.0),
        (r#"rehearsal_http_requests_total{route="rest",status="500"}"#, 1.0),
        (r#"rehearsal_http_requests_total{route="api",status="200"}"#, 1.0),
        // Twice the link's 5 ms, and no processing.
        (r#"rehearsal_latency_seconds_bucket{interface="rest",le="0.005"}"#, 0.0),
        (r#"rehearsal_latency_seconds_bucket{interface="rest",le="+Inf"}"#, 4.0),
        (r#"rehearsal_latency_seconds_count{interface="rest"}"#, 4.0),
        (r#"rehearsal_services{state="up"}"#, 4.0),
        (r#"rehearsal_service_up{service="shop",node="cloud"}"#, 1.0),
        ("rehearsal_panics_total", 1.0),
        ("rehearsal_messages_lost_total", 0.0),
    ] {
        assert_eq!(figures.get(sample), Some(&value), "{sample} in {figures:#?}");
    }
    let sent = figures["rehearsal_messages_sent_total"];
    let ended = ["delivered_total", "lost_total", "undelivered_total", "in_flight"];
    let ended: f64 = ended.iter().map(|what| figures[&format!("rehearsal_messages_{what}")]).sum();
    assert_eq!(sent, ended, "every message is somewhere");
}

#[test]
fn buckets_hold_what_those_before_them_hold() {
    let stage = Stage::plain();
    assert_eq!(stage.get("/shop/items/7").status, 200);
    let figures = figures(&stage, &[]);
    let mut buckets: Vec<(f64, f64)> = figures
        .iter()
        .filter_map(|(sample, count)| {
            let bound = sample.strip_prefix(r#"rehearsal_latency_seconds_bucket{interface="rest",le=""#)?;
            let bound = bound.strip_suffix("\"}")?.parse().ok()?;
            Some((bound, *count))
        })
        .collect();
    buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    assert!(buckets.len() > 10 && buckets.is_sorted_by_key(|(_, count)| *count), "{buckets:?}");
}

#[test]
fn who_has_not_shown_the_token_sees_totals_and_what_everybody_may_ask() {
    let stage = Stage::with(|server| server.token("secret").expose(["shop"]));
    let names = |headers: &[(&str, &str)]| -> Vec<String> {
        let of_each = |sample: &String| sample.starts_with("rehearsal_service_up{");
        figures(&stage, headers).into_keys().filter(of_each).collect()
    };
    assert_eq!(names(&[]), [r#"rehearsal_service_up{service="shop",node="cloud"}"#]);
    assert_eq!(names(&[("authorization", "Bearer secret")]).len(), 4);
    assert_eq!(figures(&stage, &[])[r#"rehearsal_services{state="up"}"#], 4.0);
}

#[test]
fn without_a_run_the_gateway_tells_what_it_knows() {
    let mut stage = Stage::plain();
    assert_eq!(stage.get("/shop/items/7").status, 200);
    stage.stop_run();
    let figures = figures(&stage, &[]);
    assert_eq!(figures["rehearsal_gateway_up"], 0.0);
    assert_eq!(figures[r#"rehearsal_http_requests_total{route="rest",status="200"}"#], 1.0);
    assert!(!figures.contains_key("rehearsal_messages_sent_total"));
}
