"""A server that speaks OpenAI's language on loopback, and says what a test wants: good answers, refusals, half an answer."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from wf_notebook.models import OpenAILike


def chunk(text):
    """Return one event of a streamed answer."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    body = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(body)}\n\n".encode()


class Provider:
    """The server; `answer(handler)` is what it does with a request."""

    def __init__(self):
        self.answer = lambda handler: handler.refuse(500, "no answer was set")
        self.requests = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.request_body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                provider.requests.append((dict(self.headers), self.request_body))
                provider.answer(self)

            def refuse(self, status, message, **error):
                body = json.dumps({"error": {"message": message, **error}}).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def say(self, *pieces):
                """Stream these pieces and leave the answer open."""
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for piece in pieces:
                    event = chunk(piece)
                    self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
                self.wfile.flush()

            def die(self):
                """Close the connection in the middle of what is said."""
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.01])
        self.thread.start()

    def model(self, **settings):
        return OpenAILike("m", base_url=self.url, **settings)

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def provider():
    provider = Provider()
    yield provider
    provider.close()
