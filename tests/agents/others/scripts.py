"""Models of other packages that say what is written for them: as an agno model, and as a chat model of LangChain."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import Any

from agno.metrics import MessageMetrics
from agno.models.base import Model
from agno.models.response import ModelResponse
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

note = logging.getLogger("scripts")


class _Noting(logging.Handler):
    """Writes down what is said: a list that a model writes into would be one more thing that its answer depends on."""

    def emit(self, record):
        ASKED.append(record.getMessage())


#: The models that were asked.
ASKED: list[str] = []
note.addHandler(_Noting())
note.setLevel("INFO")
note.propagate = False


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    """Return an answer that calls a tool."""
    return {"tool": tool, "arguments": arguments}


@dataclass
class AgnoModel(Model):
    """An agno model: its n-th answer follows n earlier ones in the messages."""

    id: str = "scripted"
    answers: list[Any] = field(default_factory=list)
    temperature: float | None = None

    def _next(self, messages):
        note.info(self.id)
        answer = self.answers[sum(said.role == "assistant" for said in messages)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _said(self, answer):
        used = MessageMetrics(input_tokens=7, output_tokens=3, total_tokens=10)
        if isinstance(answer, str):
            return ModelResponse(role="assistant", content=answer, response_usage=used)
        function = {"name": answer["tool"], "arguments": json.dumps(answer["arguments"])}
        calls = [{"id": f"call-{answer['tool']}", "type": "function", "function": function}]
        return ModelResponse(role="assistant", tool_calls=calls, response_usage=used)

    def invoke(self, messages, **_):
        return self._said(self._next(messages))

    async def ainvoke(self, messages, **_):
        return self._said(self._next(messages))

    def invoke_stream(self, messages, **_):
        answer = self._next(messages)
        if isinstance(answer, str):
            for word in answer.split(" ")[:-1]:
                yield ModelResponse(content=word + " ")
            answer = answer.split(" ")[-1]
        yield self._said(answer)

    async def ainvoke_stream(self, messages, **_):
        for said in self.invoke_stream(messages):
            yield said

    def _parse_provider_response(self, response, **_):
        return response

    def _parse_provider_response_delta(self, response):
        return response


class ChatModel(BaseChatModel):
    """A chat model of LangChain: its n-th answer follows n earlier ones in the messages."""

    answers: list[Any]

    @property
    def _llm_type(self):
        return "scripted"

    def _get_ls_params(self, stop=None, **_):
        return {"ls_provider": "tests", "ls_model_type": "chat", "ls_model_name": "scripted"}

    def bind_tools(self, tools, **_):
        return self

    def _next(self, messages):
        note.info("scripted")
        answer = self.answers[sum(said.type == "ai" for said in messages)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _made(self, kind, answer):
        used = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
        if isinstance(answer, str):
            return kind(answer, usage_metadata=used)
        called = {"name": answer["tool"], "args": answer["arguments"], "id": f"call-{answer['tool']}", "type": "tool_call"}
        if kind is AIMessage:
            return AIMessage("", tool_calls=[called], usage_metadata=used)
        piece = {**called, "args": json.dumps(called["args"]), "index": 0, "type": "tool_call_chunk"}
        return AIMessageChunk("", tool_call_chunks=[piece], usage_metadata=used)

    def _generate(self, messages, stop=None, run_manager=None, **_):
        return ChatResult(generations=[ChatGeneration(message=self._made(AIMessage, self._next(messages)))])

    def _stream(self, messages, stop=None, run_manager=None, **_):
        answer = self._next(messages)
        if isinstance(answer, str):
            for word in answer.split(" ")[:-1]:
                piece = ChatGenerationChunk(message=AIMessageChunk(word + " "))
                if run_manager:
                    run_manager.on_llm_new_token(word, chunk=piece)
                yield piece
            answer = answer.split(" ")[-1]
        piece = ChatGenerationChunk(message=self._made(AIMessageChunk, answer))
        if run_manager:
            run_manager.on_llm_new_token(str(piece.text), chunk=piece)
        yield piece
