"""A payment service for the SockShop that lives outside of it: see scenarios/sockshop-external.ron.

    python3 examples/payment.py 9000        (port 0: any that is free; it says which)

It needs nothing but Python. What it takes, as requests and as calls:

    POST /api/pay  {"order_id": 54321, "amount": "69.97"}
    POST /api      {"jsonrpc": "2.0", "method": "pay", "params": {"order_id": 54321, "amount": "69.97"}, "id": 1}
"""

import itertools
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONGEST_BODY = 64 * 1024
transactions = itertools.count(1000)


class BadPayment(Exception):
    """What was asked for is no payment."""


def pay(order_id=None, amount=None):
    """Takes the money: what the shop's own payment service answers."""
    if not isinstance(order_id, int) or not isinstance(amount, str):
        raise BadPayment("a payment has an `order_id`, which is a number, and an `amount`, which is a text")
    return {"order_id": order_id, "amount": amount, "transaction_id": next(transactions), "status": "success"}


def call(request):
    """The answer to a JSON-RPC request."""
    answer = {"jsonrpc": "2.0", "id": request.get("id") if isinstance(request, dict) else None}
    try:
        if not isinstance(request, dict) or request.get("jsonrpc") != "2.0":
            answer["error"] = {"code": -32600, "message": "Invalid Request"}
        elif request.get("method") != "pay":
            answer["error"] = {"code": -32601, "message": "Method not found"}
        else:
            params = request.get("params", [])
            answer["result"] = pay(**params) if isinstance(params, dict) else pay(*params)
    except (BadPayment, TypeError) as problem:
        answer["error"] = {"code": -32602, "message": str(problem)}
    return answer


class Till(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        if length > LONGEST_BODY:
            self.close_connection = True
            return self.answer(413, {"detail": "that is no payment"})
        try:
            body = json.loads(self.rfile.read(length))
        except ValueError:
            return self.answer(400, {"detail": "the body is no JSON"})
        if self.path == "/api":
            return self.answer(200, call(body))
        if self.path != "/api/pay":
            return self.answer(404, {"detail": "payments are taken at /api/pay"})
        try:
            return self.answer(200, pay(**body))
        except (BadPayment, TypeError) as problem:
            return self.answer(400, {"detail": str(problem)})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        """Says nothing of what goes well."""


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 9000), Till) as server:
        print(f"http://127.0.0.1:{server.server_port}/api", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
