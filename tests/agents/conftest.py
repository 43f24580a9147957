"""A server that speaks OpenAI's language on loopback, and misbehaves on command: refusals, half an answer, silence."""

from __future__ import annotations

import json
import queue
import socket
import struct
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from wf_notebook.models import OpenAILike

#: Scripts for an environment that has packages of others.
collect_ignore = ["others"]

#: What every answer is said to have used.
USAGE = {"prompt_tokens": 30, "completion_tokens": 20, "total_tokens": 50}


def chunk(text, finish_reason=None, **more):
    """Return one event of a streamed answer; without a text it says only whose turn it is, or why the answer ended."""
    delta = {"role": "assistant"} if text is None else {"role": "assistant", "content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    body = {"id": "1", "object": "chat.completion.chunk", "created": 0, "choices": [choice], **more}
    return f"data: {json.dumps(body)}\n\n".encode()


class Provider:
    """The server; `answer(handler)` is what it does with a request, `arrivals` and `left` are when clients came and went."""

    def __init__(self):
        self.answer = lambda handler: handler.refuse(500, "no answer was set")
        self.requests, self.arrivals, self.left = [], [], queue.SimpleQueue()
        self.hanging = threading.Event()
        self.lock = threading.Lock()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.request_body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with provider.lock:
                    provider.arrivals.append(time.monotonic())
                    provider.requests.append((dict(self.headers), self.request_body))
                provider.answer(self)

            def refuse(self, status, message, headers=(), **error):
                self.send(json.dumps({"error": {"message": message, **error}}), status, headers)

            def send(self, body, status=200, headers=()):
                self.send_response(status)
                for name, value in {"content-type": "application/json", **dict(headers)}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def tell(self, text="ok"):
                """Give a whole answer, as a stream of words when a stream is asked for."""
                if self.request_body.get("stream"):
                    self.say(*text.split(" "))
                    self.add(None, finish_reason="stop", usage=USAGE)
                    self.raw(b"data: [DONE]\n\n")
                    self.close()
                    return
                self.complete(text)

            def complete(self, text, finish_reason="stop", usage=USAGE):
                """Give a whole answer that is not streamed."""
                choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}
                answer = {"id": "1", "object": "chat.completion", "created": 0, "choices": [choice]}
                self.send(json.dumps({**answer, "model": self.request_body["model"], "usage": usage}))

            def raw(self, event):
                """Send bytes as one piece of a streamed answer."""
                self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
                self.wfile.flush()

            def close(self):
                """End a streamed answer in good order, whatever was said in it."""
                self.wfile.write(b"0\r\n\r\n")

            def hang(self):
                """Say nothing (more) until the client goes."""
                self.wfile.flush()
                provider.hanging.set()
                self.connection.settimeout(60)
                with suppress(ConnectionResetError):  # going may be a reset, too
                    self.connection.recv(1)
                provider.left.put(time.monotonic())
                self.close_connection = True

            def reset(self):
                """Break the connection off, as a server that is killed does."""
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True

            def say(self, *pieces):
                """Stream these pieces and leave the answer open."""
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for piece in pieces:
                    self.add(piece)

            def add(self, piece, **more):
                """Stream one more piece, and what else is to be in its event."""
                self.raw(chunk(piece, model=self.request_body["model"], **more))

            def die(self):
                """Close the connection in the middle of what is said."""
                self.close_connection = True

            def end_headers(self):
                self.send_header("connection", "close")  # a client that is collected leaves none open
                super().end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.01])
        self.thread.start()

    def model(self, **settings):
        return OpenAILike("m", base_url=self.url, **settings)

    def in_turn(self, *answers):
        """Answer each request by the next of these, and all further ones by the last."""

        def answer(handler):
            answers[min(len(self.requests), len(answers)) - 1](handler)

        self.answer = answer

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def provider():
    provider = Provider()
    yield provider
    provider.close()
