"""Uploaded files, in both dialects at the same path: each belongs to the key that uploaded it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import anthropic
import httpx
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from sparekey.simulator import Simulator
from sparekey.simulator._store import Store

CONTENT = b"%PDF-1.7\r\n\x00\xff--\r\n"
FILE = ("résumé.pdf", CONTENT, "application/pdf")


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator({"sk-a": "healthy", "sk-b": "healthy", "sk-dead": "revoked"}) as running:
        yield running


@pytest.fixture
def gpt(sim: Simulator) -> Iterator[dict[str, openai.OpenAI]]:
    """OpenAI's client, by key."""
    with ExitStack() as stack:
        yield {
            key: stack.enter_context(openai.OpenAI(base_url=sim.base_url, api_key=key, max_retries=0))
            for key in ("sk-a", "sk-b", "sk-dead")
        }


@pytest.fixture
def claude(sim: Simulator) -> Iterator[dict[str, anthropic.Anthropic]]:
    """Anthropic's client, by key."""
    with ExitStack() as stack:
        yield {
            key: stack.enter_context(anthropic.Anthropic(base_url=sim.url, api_key=key, max_retries=0))
            for key in ("sk-a", "sk-b", "sk-dead")
        }


def test_openai_keeps_a_file_for_its_key(gpt: dict[str, openai.OpenAI]) -> None:
    """It is found and deleted by the key that uploaded it, and by no other."""
    file = gpt["sk-a"].files.create(file=FILE, purpose="user_data")
    assert (file.filename, file.bytes, file.purpose) == ("résumé.pdf", len(CONTENT), "user_data")
    assert gpt["sk-a"].files.retrieve(file.id) == file

    for act in (gpt["sk-b"].files.retrieve, gpt["sk-b"].files.delete):
        with pytest.raises(openai.NotFoundError) as caught:
            act(file.id)
        assert (caught.value.body["message"], caught.value.param) == (f"No such File object: {file.id}", "id")  # type: ignore[index]

    assert gpt["sk-a"].files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        gpt["sk-a"].files.retrieve(file.id)


def test_anthropic_keeps_a_file_for_its_key(claude: dict[str, anthropic.Anthropic]) -> None:
    """It is found and deleted by the key that uploaded it, and by no other."""
    file = claude["sk-a"].beta.files.upload(file=FILE)
    assert (file.filename, file.size_bytes, file.mime_type) == ("résumé.pdf", len(CONTENT), "application/pdf")
    assert claude["sk-a"].beta.files.retrieve_metadata(file.id) == file

    for act in (claude["sk-b"].beta.files.retrieve_metadata, claude["sk-b"].beta.files.delete):
        with pytest.raises(anthropic.NotFoundError) as caught:
            act(file.id)
        body: Any = caught.value.body
        assert body["error"] == {"type": "not_found_error", "message": f"File not found: {file.id}"}

    assert claude["sk-a"].beta.files.delete(file.id).type == "file_deleted"
    with pytest.raises(anthropic.NotFoundError):
        claude["sk-a"].beta.files.retrieve_metadata(file.id)


def test_a_chat_finds_its_own_keys_files_only(gpt: dict[str, openai.OpenAI]) -> None:
    """In chat completions and in responses."""
    file = gpt["sk-a"].files.create(file=FILE, purpose="user_data")
    chat: Any = [{"role": "user", "content": [{"type": "file", "file": {"file_id": file.id}}]}]
    response: Any = [{"role": "user", "content": [{"type": "input_file", "file_id": file.id}]}]

    assert gpt["sk-a"].chat.completions.create(model="m", messages=chat).choices
    assert gpt["sk-a"].responses.create(model="m", input=response).output
    with pytest.raises(openai.NotFoundError, match="No such File object") as of_chat:
        gpt["sk-b"].chat.completions.create(model="m", messages=chat, stream=True)
    with pytest.raises(openai.NotFoundError, match="No such File object") as of_response:
        gpt["sk-b"].responses.create(model="m", input=response)
    assert of_chat.value.param == "messages[0].content[0].file.file_id"
    assert of_response.value.param == "input[0].content[0].file_id"


def test_a_message_finds_its_own_keys_files_only(claude: dict[str, anthropic.Anthropic]) -> None:
    """In documents and images, inside a tool's result too."""
    file = claude["sk-a"].beta.files.upload(file=FILE)
    block = {"type": "document", "source": {"type": "file", "file_id": file.id}}
    use = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
    plain: Any = [{"role": "user", "content": [block]}]
    inside: Any = [
        {"role": "user", "content": "f"},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [block]}]},
    ]
    for messages in (plain, inside):
        request: Any = {"model": "m", "max_tokens": 50, "messages": messages}
        assert claude["sk-a"].messages.create(**request).content
        assert claude["sk-a"].messages.count_tokens(model="m", messages=messages).input_tokens >= 0
        for stream in (False, True):
            with pytest.raises(anthropic.NotFoundError, match="File not found"):
                claude["sk-b"].messages.create(**request, stream=stream)


def test_what_a_key_does_comes_before_what_it_has(
    gpt: dict[str, openai.OpenAI], claude: dict[str, anthropic.Anthropic]
) -> None:
    """A revoked key uploads nothing, and finds nothing out."""
    with pytest.raises(openai.AuthenticationError):
        gpt["sk-dead"].files.create(file=FILE, purpose="user_data")
    with pytest.raises(anthropic.AuthenticationError):
        claude["sk-dead"].beta.files.retrieve_metadata("file_x")


def test_the_journal_keeps_no_content(sim: Simulator, gpt: dict[str, openai.OpenAI]) -> None:
    """Of an upload the record has the name, the size and the type."""
    gpt["sk-a"].files.create(file=FILE, purpose="user_data")

    shown = {"filename": "résumé.pdf", "bytes": len(CONTENT), "mime_type": "application/pdf"}
    assert sim.requests[-1].body == {"purpose": "user_data", "file": shown}


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"data": {"purpose": "user_data"}, "files": {"other": FILE}}, "file"),
        ({"files": {"file": FILE}}, "purpose"),
        ({"files": {"file": FILE}, "data": {"purpose": "fun"}}, "purpose"),
        ({"json": {"purpose": "user_data"}}, None),
        ({"content": b"", "headers": {"content-type": "multipart/form-data"}}, None),
    ],
)
def test_a_form_that_lacks_something_is_refused(sim: Simulator, form: dict[str, Any], param: str | None) -> None:
    """The field is named; what is no form is not read at all."""
    headers = {"authorization": "Bearer sk-a", **form.pop("headers", {})}
    answer = httpx.post(f"{sim.base_url}/files", headers=headers, **form)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_anthropic_wants_a_file(sim: Simulator) -> None:
    """In its own words."""
    headers = {"x-api-key": "sk-a", "anthropic-version": "2023-06-01"}
    answer = httpx.post(f"{sim.base_url}/files", headers=headers, files={"other": FILE})

    assert answer.json()["error"] == {"type": "invalid_request_error", "message": "file: Field required"}


@pytest.mark.parametrize(
    ("filename", "content", "mime_type"),
    [
        ("mail.eml", b"From: x\r\n\r\nhello", "message/rfc822"),
        ("mails.txt", b"--y\r\n\r\nhello\r\n--y--", "multipart/mixed; boundary=y"),
        ("empty.txt", b"", "text/plain"),
        ("lines.txt", b"\r\na\r\n\r\nb\n\n\r\n", "text/plain"),
        ('a "quoted" name.txt', b"x", "text/plain"),
        ("100%.txt", b"x", "text/plain"),
    ],
)
def test_any_file_keeps_its_size_and_name(
    gpt: dict[str, openai.OpenAI], filename: str, content: bytes, mime_type: str
) -> None:
    """Be it a mail, a form itself, or one whose name has a quote."""
    file = gpt["sk-a"].files.create(file=(filename, content, mime_type), purpose="user_data")

    assert (file.filename, file.bytes) == (filename, len(content))


HEAD = st.sampled_from(
    [b'form-data; name="file"; filename="a"', b'form-data; name="purpose"', b"form-data", b"\xff;=\x00"]
)


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(st.tuples(HEAD, st.binary(max_size=40)), max_size=4), rest=st.binary(max_size=40))
def test_every_form_is_taken_or_refused(parts: list[tuple[bytes, bytes]], rest: bytes) -> None:
    """No form makes the simulator fail: it is a 200 or a 400."""
    body = b"".join(b"--x\r\ncontent-disposition: " + head + b"\r\n\r\n" + said + b"\r\n" for head, said in parts)
    headers = {"authorization": "Bearer sk-a", "content-type": "multipart/form-data; boundary=x"}
    sim = TestClient(Simulator({"sk-a": "healthy"})._app)

    assert sim.post("/v1/files", content=body + b"--x--" + rest, headers=headers).status_code in (200, 400)


def test_the_oldest_thing_goes_first() -> None:
    """What is kept does not grow without end, and owners do not see each other's."""
    store = Store(most=2)
    for number in range(3):
        store.put("file", "a", str(number), number)

    assert [store.get("file", "a", str(number)) for number in range(3)] == [None, 1, 2]
    assert store.get("file", "b", "2") is None
    assert store.get("item", "a", "2") is None
