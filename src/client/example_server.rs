// A server of JSON-RPC for the examples in the documentation, as an expression that is its URL. It adds
// two numbers, answers one request a connection, notifications with nothing, everything else with
// "Method not found".
{
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap());
    let here = url.clone();
    let answer = move |request: &serde_json::Value| {
        let params = &request["params"];
        let number = |name, at: usize| params.get(name).or(params.get(at)).and_then(|number| number.as_i64());
        let id = request.get("id")?;
        Some(match (request["method"].as_str(), number("a", 0), number("b", 1)) {
            (Some("add"), Some(a), Some(b)) => serde_json::json!({"jsonrpc": "2.0", "result": a + b, "id": id}),
            (Some("locate_service"), ..) => serde_json::json!({"jsonrpc": "2.0", "result": [here], "id": id}),
            _ => serde_json::json!({"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": id}),
        })
    };
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = BufReader::new(connection.unwrap());
            let head: Vec<String> = connection.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            connection.read_exact(&mut body).unwrap();
            let text = match serde_json::from_slice(&body).unwrap() {
                serde_json::Value::Array(batch) => serde_json::Value::from(batch.iter().filter_map(&answer).collect::<Vec<_>>()).to_string(),
                single => answer(&single).map(|answer| answer.to_string()).unwrap_or_default(),
            };
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", text.len());
            connection.get_mut().write_all((head + &text).as_bytes()).unwrap();
        }
    });
    url
}
