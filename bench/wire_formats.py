"""What three vendors send: Chat Completions, Responses and Anthropic Messages, as bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Wire:
    """One vendor's format. A stream is `opening`, a `piece` for each token, and `closing`.

    `whole(model, text, read, written)` is the body of a plain call; `read` and `written` count
    tokens. `failure(status)` is the body that goes with an HTTP error.
    """

    whole: Callable[[str, str, int, int], bytes]
    opening: Callable[[str, int], bytes]
    piece: Callable[[str, str], bytes]
    closing: Callable[[str, str, int, int], bytes]
    failure: Callable[[int], bytes]


def _data(value: Json) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


def _event(value: Json) -> bytes:
    return b"event: " + str(value["type"]).encode() + b"\n" + _data(value)


def _kind(status: int) -> str:
    return {429: "rate_limit_error", 529: "overloaded_error"}.get(status, "api_error")


# Chat Completions


def _chat_usage(read: int, written: int) -> Json:
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def _chat_chunk(model: str, delta: Json, finish: str | None = None) -> Json:
    choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": model,
        "choices": [choice],
        "usage": None,
    }


def _chat_whole(model: str, text: str, read: int, written: int) -> bytes:
    message: Json = {"role": "assistant", "content": text, "refusal": None}
    return orjson.dumps(
        {
            "id": "chatcmpl-bench",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": model,
            "choices": [
                {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
            ],
            "usage": _chat_usage(read, written),
        }
    )


def _chat_closing(model: str, text: str, read: int, written: int) -> bytes:
    del text
    counted = {**_chat_chunk(model, {}), "choices": [], "usage": _chat_usage(read, written)}
    return _data(_chat_chunk(model, {}, "stop")) + _data(counted) + b"data: [DONE]\n\n"


def _chat_failure(status: int) -> bytes:
    said = {"message": f"upstream says {status}", "type": _kind(status), "code": None}
    return orjson.dumps({"error": said})


CHAT = Wire(
    whole=_chat_whole,
    opening=lambda model, _read: _data(_chat_chunk(model, {"role": "assistant", "content": ""})),
    piece=lambda model, text: _data(_chat_chunk(model, {"content": text})),
    closing=_chat_closing,
    failure=_chat_failure,
)

# Responses


def _response(model: str, status: str, output: list[Json], usage: Json | None) -> Json:
    return {
        "id": "resp_bench",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": status,
        "model": model,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "output": output,
        "usage": usage,
    }


def _finished_response(model: str, text: str, read: int, written: int) -> Json:
    part: Json = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    message: Json = {
        "id": "msg_bench",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    usage: Json = {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }
    return _response(model, "completed", [message], usage)


def _responses_piece(model: str, text: str) -> bytes:
    del model
    return _event(
        {
            "type": "response.output_text.delta",
            "sequence_number": 4,
            "item_id": "msg_bench",
            "output_index": 0,
            "content_index": 0,
            "delta": text,
            "logprobs": [],
        }
    )


def _responses_opening(model: str, _read: int) -> bytes:
    begun = _response(model, "in_progress", [], None)
    return _event({"type": "response.created", "sequence_number": 0, "response": begun})


def _responses_closing(model: str, text: str, read: int, written: int) -> bytes:
    done = _finished_response(model, text, read, written)
    return _event({"type": "response.completed", "sequence_number": 9, "response": done})


RESPONSES = Wire(
    whole=lambda model, text, read, written: orjson.dumps(
        _finished_response(model, text, read, written)
    ),
    opening=_responses_opening,
    piece=_responses_piece,
    closing=_responses_closing,
    failure=_chat_failure,
)

# Anthropic Messages


def _message(model: str, content: list[Json], stop: str | None, usage: Json) -> Json:
    return {
        "id": "msg_bench",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }


def _messages_opening(model: str, read: int) -> bytes:
    begun = _message(model, [], None, {"input_tokens": read, "output_tokens": 1})
    block: Json = {"type": "text", "text": ""}
    return _event({"type": "message_start", "message": begun}) + _event(
        {"type": "content_block_start", "index": 0, "content_block": block}
    )


def _messages_piece(model: str, text: str) -> bytes:
    del model
    delta: Json = {"type": "text_delta", "text": text}
    return _event({"type": "content_block_delta", "index": 0, "delta": delta})


def _messages_closing(model: str, text: str, read: int, written: int) -> bytes:
    del model, text, read
    delta: Json = {"stop_reason": "end_turn", "stop_sequence": None}
    return (
        _event({"type": "content_block_stop", "index": 0})
        + _event({"type": "message_delta", "delta": delta, "usage": {"output_tokens": written}})
        + _event({"type": "message_stop"})
    )


def _messages_failure(status: int) -> bytes:
    said = {"type": _kind(status), "message": f"upstream says {status}"}
    return orjson.dumps({"type": "error", "error": said})


MESSAGES = Wire(
    whole=lambda model, text, read, written: orjson.dumps(
        _message(
            model,
            [{"type": "text", "text": text}],
            "end_turn",
            {"input_tokens": read, "output_tokens": written},
        )
    ),
    opening=_messages_opening,
    piece=_messages_piece,
    closing=_messages_closing,
    failure=_messages_failure,
)

WIRES = {"/chat/completions": CHAT, "/responses": RESPONSES, "/messages": MESSAGES}
"""By the end of the path that a vendor's client asks."""
