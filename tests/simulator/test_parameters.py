"""Each provider takes the parameters it has, as its SDK types them, and refuses what belongs to another."""

from __future__ import annotations

from typing import Any, Union, get_args, get_origin, get_type_hints

import anthropic
import openai
import pytest
from anthropic.types import message_count_tokens_params, message_create_params
from anthropic.types.beta import message_count_tokens_params as beta_count_tokens_params
from anthropic.types.beta import message_create_params as beta_create_params
from openai.types import (
    AudioModel,
    ChatModel,
    EmbeddingModel,
    ImageModel,
    embedding_create_params,
    image_generate_params,
)
from openai.types import completion_create_params as text_create_params
from openai.types.audio import SpeechModel, speech_create_params, transcription_create_params
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params

from sparekey.simulator import Simulator
from sparekey.simulator._anthropic.options import ANSWERED, COUNTED
from sparekey.simulator._openai.audio import SPEECH, TRANSCRIPTION
from sparekey.simulator._openai.chat import PARAMETERS as CHAT
from sparekey.simulator._openai.completions import PARAMETERS as COMPLETION
from sparekey.simulator._openai.embeddings import PARAMETERS as EMBEDDING
from sparekey.simulator._openai.images import PARAMETERS as IMAGE
from sparekey.simulator._openai.models import kind_of
from sparekey.simulator._openai.responses import PARAMETERS as RESPONSE

NEWER = 5
"""Parameters by which the list may lag behind an SDK: the tests take the newest, and must not break on its day."""
IN_HEADERS = {"betas", "user_profile_id", "workspace_id"}
TYPED: list[tuple[frozenset[str], Any]] = [
    (CHAT, completion_create_params.CompletionCreateParams),
    (RESPONSE, response_create_params.ResponseCreateParams),
    (EMBEDDING, embedding_create_params.EmbeddingCreateParams),
    (COMPLETION, text_create_params.CompletionCreateParams),
    (IMAGE, image_generate_params.ImageGenerateParams),
    (SPEECH, speech_create_params.SpeechCreateParams),
    (TRANSCRIPTION, transcription_create_params.TranscriptionCreateParams),
    (ANSWERED, message_create_params.MessageCreateParams),
    (ANSWERED, beta_create_params.MessageCreateParams),
    (COUNTED, message_count_tokens_params.MessageCountTokensParams),
    (COUNTED, beta_count_tokens_params.MessageCountTokensParams),
]


def fields(params: Any) -> set[str]:
    """What a type of parameters names, or one of several such types."""
    several = get_args(params) if get_origin(params) is Union else [params]
    return {name for each in several for name in get_type_hints(each)}


@pytest.mark.parametrize(("known", "params"), TYPED)
def test_every_parameter_of_the_sdk_is_known(known: frozenset[str], params: Any) -> None:
    """Whatever its client can send is no stranger's, but for a few that are newer than the list."""
    assert len(fields(params) - IN_HEADERS - known) <= NEWER


HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
STRANGE: dict[str, Any] = {
    "top_k": 5,
    "system": "be brief",
    "stop_sequences": ["x"],
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "input": "hello",
    "max_output_tokens": 5,
    "foo": None,
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_chat_has_no_parameters_of_others(name: str) -> None:
    """OpenAI names the one it does not know, in a sentence and not as a field."""
    with (
        Simulator({"sk-a": "healthy"}) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client,
        pytest.raises(openai.BadRequestError) as caught,
    ):
        client.chat.completions.create(model="gpt-4o", **HELLO, extra_body={name: STRANGE[name]})

    told: Any = caught.value.body
    said = f"Unrecognized request argument supplied: {name}"
    assert told == {"message": said, "type": "invalid_request_error", "param": None, "code": None}


def test_several_are_named_in_one_sentence() -> None:
    """In embeddings as in chats."""
    strange = {"input_type": "query", "truncate": "END"}
    with (
        Simulator({"sk-a": "healthy"}) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client,
        pytest.raises(openai.BadRequestError, match="Unrecognized request arguments supplied: input_type, truncate"),
    ):
        client.embeddings.create(model="text-embedding-3-small", input="x", extra_body=strange)


def test_a_response_has_no_parameters_of_others() -> None:
    """It calls them unknown."""
    with (
        Simulator({"sk-a": "healthy"}) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client,
        pytest.raises(openai.BadRequestError, match="Unknown parameter: 'top_k'"),
    ):
        client.responses.create(model="gpt-4o", input="hello", extra_body={"top_k": 5})


def test_others_who_speak_openais_language_have_more() -> None:
    """A model that is not OpenAI's by its name may be anybody's, whose client sends what is theirs."""
    with (
        Simulator({"sk-a": "healthy"}) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client,
    ):
        for model in ("llama-3.3-70b", "openai/gpt-oss-120b", "gpt-oss-20b"):
            assert client.chat.completions.create(
                model=model, **HELLO, extra_body={"reasoning_format": None, "top_k": 5}
            ).choices
            assert client.embeddings.create(model=model, input="x", extra_body={"truncate": "END"}).data


ANTHROPIC: list[tuple[dict[str, Any], str | None]] = [
    *[
        ({name: None}, f"{name}: Extra inputs are not permitted")
        for name in ("user", "store", "verbosity", "modalities", "function_call", "stop", "foo")
    ],
    ({"temperature": 1.5}, "temperature: range: 0..1"),
    ({"temperature": -1}, "temperature: range: 0..1"),
    ({"temperature": "hot"}, "temperature: Input should be a valid number"),
    ({"temperature": True}, "temperature: Input should be a valid number"),
    ({"top_p": 3}, "top_p: range: 0..1"),
    ({"top_k": "x"}, "top_k: Input should be a valid integer"),
    ({"top_k": -1}, "top_k: Input should be greater than or equal to 0"),
    ({"temperature": 1, "top_p": 0.5, "top_k": 5, "metadata": {"user_id": "x"}}, None),
    ({"thinking": 5}, "thinking: Input should be a valid dictionary or object to extract fields from"),
    (
        {"thinking": {"type": "deep"}},
        (
            "thinking: Input tag 'deep' found using 'type' does not match any of the expected tags: 'adaptive', "
            "'between_tools', 'disabled', 'enabled'"
        ),
    ),
    ({"thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required"),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 5}},
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        "`max_tokens` must be greater than `thinking.budget_tokens`.",
    ),
    (
        {"thinking": {"type": "disabled", "budget_tokens": 1024}},
        "thinking.disabled.budget_tokens: Extra inputs are not permitted",
    ),
    ({"thinking": {"type": "enabled", "budget_tokens": 1999}}, None),
    ({"thinking": {"type": "adaptive", "display": "omitted"}}, None),
    (
        {
            "thinking": {"type": "enabled", "budget_tokens": 9000},
            "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        },
        None,
    ),
]


@pytest.mark.parametrize(("change", "message"), ANTHROPIC)
def test_a_message_has_its_own_parameters_and_ranges(change: dict[str, Any], message: str | None) -> None:
    """What is sound is answered; the rest is refused in Anthropic's sentences."""
    body = {"model": "m", "max_tokens": 2000, **HELLO, **change}
    with (
        Simulator({"sk-a": "healthy"}) as sim,
        anthropic.Anthropic(base_url=sim.url, api_key="sk-a", max_retries=0) as client,
    ):
        try:
            client.post("/v1/messages", body=body, cast_to=object)
        except anthropic.BadRequestError as error:
            told: Any = error.body
            assert told["error"]["message"] == message
        else:
            assert message is None


def test_counting_tokens_takes_no_options_of_an_answer() -> None:
    """They are extra there."""
    with (
        Simulator({"sk-a": "healthy"}) as sim,
        anthropic.Anthropic(base_url=sim.url, api_key="sk-a", max_retries=0) as client,
        pytest.raises(anthropic.BadRequestError, match="max_tokens: Extra inputs are not permitted"),
    ):
        client.messages.count_tokens(model="m", **HELLO, extra_body={"max_tokens": 5})


NAMED = {
    "chat": ChatModel,
    "embedding": EmbeddingModel,
    "image": ImageModel,
    "speech": SpeechModel,
    "transcription": AudioModel,
}


def test_openais_models_are_told_apart_by_their_names() -> None:
    """All its SDK names, and no other's."""
    for kind, names in NAMED.items():
        assert sum(kind_of(each) != kind for each in get_args(names)) <= NEWER
    assert kind_of("ft:gpt-4o-mini:acme::1") == "chat"
    assert kind_of("gpt-3.5-turbo-instruct") == kind_of("ft:davinci-002:acme::1") == "completion"
    assert kind_of("llama-3") is kind_of("gpt-oss-20b") is None


def test_a_model_does_what_it_is_for() -> None:
    """One that embeds does not talk, in chats or responses, and one that talks does not embed; as OpenAI says it."""
    with (
        Simulator({"sk-a": "healthy"}) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client,
    ):
        with pytest.raises(openai.PermissionDeniedError, match="You are not allowed to sample from this model"):
            client.chat.completions.create(model="text-embedding-3-small", **HELLO)
        with pytest.raises(openai.PermissionDeniedError, match="You are not allowed to sample from this model"):
            client.responses.create(model="text-embedding-3-small", input="hello")
        with pytest.raises(openai.PermissionDeniedError, match="not allowed to generate embeddings from this model"):
            client.embeddings.create(model="gpt-4o", input="hello")


SMALL = "text-embedding-3-small"
MIXED = "expected texts or arrays of tokens, none of them empty"
EMBEDDINGS: list[tuple[dict[str, Any], str | None]] = [
    ({"dimensions": 1536}, None),
    ({"dimensions": 1537}, "Invalid value for 'dimensions' = 1537. Must be less than or equal to 1536."),
    ({"dimensions": 0}, "Invalid 'dimensions': expected an integer between 1 and 1536."),
    ({"dimensions": 3072, "model": "text-embedding-3-large"}, None),
    ({"dimensions": 256, "model": "text-embedding-ada-002"}, "This model does not support specifying dimensions."),
    ({"model": "text-embedding-ada-002"}, None),
    ({"input": "word " * 8192}, None),
    ({"input": "word " * 8193}, "Invalid 'input': maximum input length is 8192 tokens."),
    ({"input": [1] * 8193}, "Invalid 'input': maximum input length is 8192 tokens."),
    ({"input": ["x", "word " * 8193]}, "Invalid 'input[1]': maximum input length is 8192 tokens."),
    ({"input": [[1] * 8192] * 37}, "Requested 303104 tokens, max 300000 tokens per request"),
    *[
        ({"input": given}, f"Invalid 'input': {MIXED}.")
        for given in ([1, "a"], ["a", 1], ["a", [1]], [[1], "a"], [-1], [True], [[True]], [1.5], ["a", ""], [[]])
    ],
]


@pytest.mark.parametrize(("change", "message"), EMBEDDINGS)
def test_embeddings_have_their_limits(change: dict[str, Any], message: str | None) -> None:
    """Of dimensions by model, of tokens by text and by request; and texts and tokens do not mix."""
    with (
        Simulator({"sk-a": "healthy"}) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client,
    ):
        try:
            client.embeddings.create(**{"model": SMALL, "input": "x", "encoding_format": "float"} | change)
        except openai.BadRequestError as error:
            told: Any = error.body
            assert told["message"] == message
        else:
            assert message is None
