"""Vector spaces are never mixed: keys and deployments of one model, of one dimension."""

from __future__ import annotations

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_openai import AzureOpenAIEmbeddings, OpenAIEmbeddings

import sparekey as sk
from langchain_sparekey import SparekeyEmbeddings

KEY = "sk-test-0123456789abcdef"
SMALL = {"model_name": "docs", "model": "openai/text-embedding-3-small", "api_key": KEY}


def row(model, **more):
    """Another entry of the group; its package need not be there, because a factory makes them."""
    return {"model_name": "docs", "model": model, "api_key": KEY + model, **more}


def listed(*rows, **options):
    factory = lambda entry: DeterministicFakeEmbedding(size=2)  # noqa: E731 - shorter than its name
    return SparekeyEmbeddings("docs", model_list=rows, factory=factory, tracker=sk.CooldownTracker(), **options)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            [SMALL, row("openai/text-embedding-3-large")],
            (
                "SparekeyEmbeddings: docs is the model 'text-embedding-3-large', and docs is 'text-embedding-3-small': "
                "their vectors cannot be compared. If it is the same under another name, say so in its base_model"
            ),
        ),
        (
            [{**SMALL, "fallbacks": ["spare"]}, row("mistral/mistral-embed", model_name="spare")],
            "spare is the model 'mistral-embed', and docs is 'text-embedding-3-small'",
        ),
        (
            [
                {**SMALL, "fallbacks": ["a"]},
                {**SMALL, "model_name": "a", "fallbacks": ["b"]},
                row("x/y", model_name="b"),
            ],
            "b is the model 'y', and docs is 'text-embedding-3-small'",
        ),
        ([SMALL, row("azure/our-embeddings")], "docs is the model 'our-embeddings', and docs is"),
        (
            [SMALL, row("azure/text-embedding-3-small", base_model="azure/text-embedding-ada-002")],
            "docs is the model 'text-embedding-ada-002', and docs is 'text-embedding-3-small'",
        ),
        (
            [row("hosted_vllm/BAAI/bge-m3"), row("ollama/bge-m3")],
            "docs is the model 'bge-m3', and docs is 'BAAI/bge-m3'",
        ),
        (
            [{**SMALL, "dimensions": 256}, row("azure/text-embedding-3-small", dimensions=1024, model_name="docs")],
            "SparekeyEmbeddings: docs has 1024 dimensions, and docs has 256: their vectors cannot be compared",
        ),
        ([{**SMALL, "dimensions": 0}], "docs: dimensions: must be a whole number, 1 or more, not 0"),
    ],
)
def test_a_second_space_is_refused_at_once(rows, says):
    """Before a single vector of it is stored; the error names both."""
    with pytest.raises(sk.ConfigError) as raised:
        listed(*rows)

    assert says in str(raised.value)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "rows",
    [
        [SMALL, row("azure/text-embedding-3-small", api_base="https://x.invalid")],
        [SMALL, row("azure/our-embeddings", base_model="text-embedding-3-small")],
        [SMALL, row("azure/our-embeddings", model_info={"base_model": "azure/text-embedding-3-small"})],
        [SMALL, row("openrouter/openai/text-embedding-3-small")],
        [SMALL, row("some-gateway/small", base_model="openai/text-embedding-3-small")],
        [row("hosted_vllm/BAAI/bge-m3"), row("ollama/bge-m3", base_model="BAAI/bge-m3")],
        [row("together_ai/BAAI/bge-m3"), row("fireworks_ai/baai/BGE-M3")],
        [row("gemini/models/gemini-embedding-001"), row("vertex_ai/gemini-embedding-001")],
        [{**SMALL, "dimensions": 256}, row("azure/text-embedding-3-small")],
    ],
)
def test_one_model_at_several_places_is_one_space(rows):
    """By its name, or by what ``base_model`` says a deployment is; LiteLLM's ``model_info`` says it, too."""
    assert len(listed(*rows).candidates) == 2


def test_what_is_not_in_the_chain_may_be_of_any_space():
    """A file may hold other models, which other names ask for."""
    other = row("openai/text-embedding-3-large", model_name="large")

    assert len(listed(SMALL, other).candidates) == 1


@pytest.mark.parametrize(
    ("options", "expected"), [({}, 256), ({"dimensions": 256}, 256)], ids=["the entry's", "asked for, too"]
)
def test_an_entry_s_dimension_is_everybody_s(options, expected):
    """One that says nothing is held to it."""
    assert listed({**SMALL, "dimensions": 256}, row("azure/text-embedding-3-small"), **options).dimensions == expected


def test_another_dimension_than_an_entry_s_cannot_be_asked_for():
    """One of the two is a mistake."""
    with pytest.raises(sk.ConfigError, match="docs has 256 dimensions, and what is asked for has 512"):
        listed({**SMALL, "dimensions": 256}, dimensions=512)


def openai(model="text-embedding-3-small", **more):
    return OpenAIEmbeddings(model=model, api_key=KEY, **more)


def azure(**more):
    return AzureOpenAIEmbeddings(azure_endpoint="https://x.invalid", api_key=KEY, **more)


@pytest.mark.parametrize(
    ("models", "says"),
    [
        (
            [openai(), openai("text-embedding-3-large")],
            r"is the model 'text-embedding-3-large', and .* is 'text-embedding-3-small': .* say so in its model",
        ),
        ([openai(), azure(azure_deployment="ours")], "is the model 'ours', and .* is 'text-embedding-3-small'"),
        ([openai(), DeterministicFakeEmbedding(size=2)], "is the model 'DeterministicFakeEmbedding', and"),
        (
            [openai(dimensions=256), azure(azure_deployment="text-embedding-3-small", dimensions=512)],
            "has 512 dimensions",
        ),
    ],
)
def test_given_models_of_two_spaces_are_refused_at_once(models, says):
    """By what they call their model."""
    with pytest.raises(sk.ConfigError, match=says) as raised:
        SparekeyEmbeddings.from_models(models)
    assert KEY not in str(raised.value)


def test_given_models_of_one_space_are_one():
    """Azure's are the model they say they are, or the one their deployment is named after."""
    models = [
        openai(),
        azure(azure_deployment="text-embedding-3-small"),
        azure(azure_deployment="ours", model="text-embedding-3-small"),
        azure(azure_deployment="theirs", model="text-embedding-3-small", dimensions=256),
    ]
    model = SparekeyEmbeddings.from_models(models, tracker=sk.CooldownTracker())

    assert len(model.candidates) == 4
    assert (model.model, model.dimensions) == ("text-embedding-3-small", 256)


def test_a_second_model_with_the_same_key_is_not_dropped_without_a_word():
    """It is no second candidate, so it would never be asked, and its vectors never be had."""
    models = [OpenAIEmbeddings(model="text-embedding-3-small", api_key=KEY, dimensions=size) for size in (256, 1024)]

    with pytest.raises(sk.ConfigError, match=r"has 1024 dimensions, and .* has 256: their vectors cannot be compared"):
        SparekeyEmbeddings.from_models(models)
