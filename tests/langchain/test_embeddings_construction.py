"""What can be handed to ``SparekeyEmbeddings``, and what it says of what cannot work."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_openai import AzureOpenAIEmbeddings, ChatOpenAI, OpenAIEmbeddings
from pydantic import SecretStr

import sparekey as sk
from langchain_sparekey import ChatSparekey, SparekeyEmbeddings

MODEL = "openai/text-embedding-3-small"
ROW = {"model_name": "docs", "model": MODEL}
CHAT = {"model_name": "chat", "model": "openai/gpt-4o", "api_key": "sk-chat-0123456789abcdef"}
KEY = "sk-test-0123456789abcdef"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "SparekeyEmbeddings: model: say which, as in model='openai/text-embedding-3-small'"),
        ({"model": MODEL, "api_keys": []}, f"SparekeyEmbeddings('{MODEL}'): api_keys: has no key in it"),
        ({"model": MODEL, "api_keys": KEY}, f"SparekeyEmbeddings('{MODEL}'): api_keys: must be a list of keys"),
        ({"model": "some-model", "api_key": KEY}, "some-model: model: 'some-model' does not name its provider"),
        ({"model": MODEL, "api_key": KEY, "deadline": -1}, "deadline must be a number of seconds"),
        ({"model": MODEL, "api_key": KEY, "timeout": 0}, "timeout must be a positive number of seconds"),
        ({"model": MODEL, "api_key": KEY, "dimensions": 0}, "dimensions: must be a whole number, 1 or more, not 0"),
        ({"model": MODEL, "api_key": KEY, "dimensions": "9"}, "dimensions: must be a whole number, 1 or more, not '9'"),
        ({"model": MODEL, "api_key": KEY, "chunk_size": 0}, f"{MODEL}: chunk_size: must be 1 or more, not 0"),
        ({"model_list": [{**ROW, "chunk_size": -1}]}, "docs: chunk_size: must be 1 or more, not -1"),
        (
            {"model": MODEL, "api_key": KEY, "model_kwargs": {"extra_body": {"model": "other", "user": "me"}}},
            f"{MODEL}: extra_body: model: cannot be seen there; say it outside",
        ),
        (
            {"model_list": [{**ROW, "extra_body": {"dimensions": 8}}]},
            "docs: extra_body: dimensions: cannot be seen there; say it outside",
        ),
        ({"model_list": [{**ROW, "mode": "embeding"}]}, "docs: mode: 'embeding' is none; an embedding model's is"),
        ({"model": "docs", "model_list": [{**ROW, "mode": 1}]}, "docs: mode: 1 is none"),
        ({"model": MODEL, "tracker": sk.CooldownTracker(), "state": "memory://"}, "state: a tracker has one"),
        ({"model": "docs", "model_list": []}, "model_list: must be a list of entries"),
        ({"model": "dosc", "model_list": [ROW]}, "no entry is called 'dosc'; did you mean 'docs'?"),
        ({"model": "docs", "model_list": [ROW], "api_key": KEY}, "SparekeyEmbeddings: api_key: said by the entries"),
        (
            {"model_list": [ROW, {**ROW, "model_name": "more"}]},
            "SparekeyEmbeddings: model: say which; there are 'docs', 'more'",
        ),
        (
            {"model_list": [{**CHAT, "mode": "chat"}]},
            "SparekeyEmbeddings: model: say which; there are no entries for an embedding model",
        ),
        (
            {"model": "chat", "model_list": [{**CHAT, "mode": "chat"}]},
            "chat: mode: says 'chat', and SparekeyEmbeddings needs an embedding model",
        ),
    ],
)
def test_what_cannot_work_is_said_in_one_line_at_once(options, says):
    """A ConfigError that names the class, and shows no key."""
    with pytest.raises(sk.ConfigError) as raised:
        SparekeyEmbeddings(**options)

    text = str(raised.value)
    assert says in text
    assert "\n" not in text
    assert KEY not in text
    assert raised.value.__cause__ is raised.value.__context__ is None


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("cohere/embed-v4", "'cohere' needs the package langchain-cohere: pip install langchain-cohere"),
        (
            "voyage/voyage-3",
            "'voyage' needs the package langchain-litellm: pip install langchain-litellm; with its address as api_base",
        ),
    ],
)
def test_a_missing_package_is_named_at_once(model, says, monkeypatch):
    """Whatever is installed here."""
    monkeypatch.setattr("langchain_sparekey._embedding_providers.find_spec", lambda package: None)
    with pytest.raises(sk.ConfigError) as raised:
        SparekeyEmbeddings(model=model, api_key=KEY)

    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("models", "options", "says"),
    [
        ([], {}, "SparekeyEmbeddings.from_models: there is no model in the list"),
        ([MODEL], {}, "models[0]: must be an embedding model, not str"),
        ([ChatOpenAI(model="gpt-4o", api_key=KEY)], {}, "models[0]: must be an embedding model, not ChatOpenAI"),
        ([DeterministicFakeEmbedding(size=2)], {"chunk_size": 9}, "chunk_size: said by the models themselves"),
        ([DeterministicFakeEmbedding(size=2)], {"model": "x"}, "model: said by the models themselves"),
        ([OpenAIEmbeddings(api_key=KEY, chunk_size=0)], {}, "chunk_size: must be 1 or more, not 0"),
        (
            [OpenAIEmbeddings(api_key=KEY, model_kwargs={"extra_body": {"dimensions": 8}})],
            {},
            "extra_body: dimensions: cannot be seen there",
        ),
    ],
)
def test_what_cannot_be_asked_is_said_at_once(models, options, says):
    """The same for models the user has built."""
    with pytest.raises(sk.ConfigError) as raised:
        SparekeyEmbeddings.from_models(models, **options)

    assert says in str(raised.value)


def test_one_line_makes_embeddings_of_any_form_of_key(monkeypatch):
    """Texts, secrets, references; blanks and repeats do not count."""
    monkeypatch.setenv("SPARE_KEY", "sk-three")
    keys = ["sk-one", SecretStr("sk-two"), " ", "sk-one", "os.environ/SPARE_KEY"]
    model = SparekeyEmbeddings(MODEL, api_key="sk-zero", api_keys=keys)
    built = [model.clients.model(who).openai_api_key.get_secret_value() for who in model.candidates]

    assert isinstance(model, Embeddings)
    assert built == ["sk-zero", "sk-one", "sk-two", "sk-three"]


def test_settings_go_to_the_classes_and_an_entry_s_own_go_first():
    """Retries are always off, and texts are sent as texts."""
    rows = [{**ROW, "api_key": KEY, "chunk_size": 7}, {**ROW, "api_key": KEY + "2"}]
    headers = {"X-Team": "search"}
    model = SparekeyEmbeddings(model_list=rows, chunk_size=9, default_headers=headers, dimensions=64, timeout=5)
    first, second = (model.clients.model(who) for who in model.candidates)

    assert type(first) is OpenAIEmbeddings
    assert (first.model, first.dimensions, first.request_timeout) == ("text-embedding-3-small", 64, 5)
    assert (first.chunk_size, second.chunk_size) == (7, 9)
    assert (first.max_retries, first.check_embedding_ctx_length, first.default_headers) == (0, False, headers)
    assert first.client._client.max_retries == first.async_client._client.max_retries == 0


def test_keys_share_their_connections():
    """An HTTP client for each key would take 80 ms to make."""
    model = SparekeyEmbeddings(MODEL, api_keys=["sk-one", "sk-two"])
    other = SparekeyEmbeddings("hosted_vllm/bge-m3", api_keys=["sk-three"], api_base="http://provider.invalid/v1")
    built = [each.clients.model(who) for each in (model, other) for who in each.candidates]

    assert None not in (built[0].http_client, built[0].http_async_client)
    assert len({id(each.http_client) for each in built}) == 1
    assert len({id(each.http_async_client) for each in built}) == 1


def test_a_client_of_the_users_own_is_kept():
    """It may be there for a proxy or a certificate."""
    import openai

    theirs = openai.DefaultHttpxClient(), openai.DefaultAsyncHttpxClient()
    model = SparekeyEmbeddings(MODEL, api_keys=["sk-one"], http_client=theirs[0], http_async_client=theirs[1])
    built = model.clients.model(model.candidates[0])

    assert (built.client._client._client, built.async_client._client._client) == theirs


@pytest.mark.parametrize("how", ["setting", "environment"])
def test_a_proxy_of_the_users_is_used(simulate, keys, monkeypatch, how):
    """Here it is a simulator, which takes no proxy's requests; in both colours."""
    sim = simulate("healthy")
    options = {"openai_proxy": sim.url} if how == "setting" else {}
    if how == "environment":
        monkeypatch.setenv("OPENAI_PROXY", sim.url)
    model = SparekeyEmbeddings(
        MODEL, api_key=keys[0], api_base="http://provider.invalid/v1", tracker=sk.CooldownTracker(), **options
    )

    with pytest.raises(sk.FallbackExhaustedError, match="Unknown request URL"):
        model.embed_query("which?")


def test_azure_is_called_by_its_deployment():
    """Its class has other names for things; what a deployment really is, is its model."""
    options = {
        "api_base": "https://x.invalid",
        "api_version": "2024-06-01",
        "base_model": "azure/text-embedding-3-small",
    }
    model = SparekeyEmbeddings("azure/deployed", api_keys=["sk-one", "sk-two"], **options)
    built = model.clients.model(model.candidates[1])

    assert type(built) is AzureOpenAIEmbeddings
    assert (built.deployment, built.model) == ("deployed", "text-embedding-3-small")
    assert built.azure_endpoint == "https://x.invalid"
    assert (built.openai_api_key.get_secret_value(), built.max_retries) == ("sk-two", 0)


def test_azure_s_deployment_may_be_said_beside_the_model():
    """As LangChain's class has it; the model is what it is really called."""
    options = {"api_base": "https://x.invalid", "api_version": "2024-06-01", "azure_deployment": "deployed"}
    model = SparekeyEmbeddings("azure/text-embedding-3-small", api_key="sk-one", **options)
    built = model.clients.model(model.candidates[0])

    assert (built.deployment, built.model) == ("deployed", "text-embedding-3-small")


def test_a_factory_makes_what_langchain_has_no_class_for():
    """It gets each entry with its one key and its settings; the mode was said to us."""
    made = []

    def factory(entry):
        made.append((entry.api_key.get_secret_value(), entry.settings))
        return DeterministicFakeEmbedding(size=3)

    options = {"factory": factory, "region": "north", "mode": "embedding"}
    model = SparekeyEmbeddings("mine/some", api_keys=["sk-one"], **options)

    assert len(model.embed_query("which?")) == 3
    assert made == [("sk-one", {"region": "north"})]


def test_a_factory_of_something_else_is_told_so():
    """Rather than failing somewhere inside."""
    model = SparekeyEmbeddings("mine/some", api_key="sk-one", factory=lambda entry: "model")

    with pytest.raises(sk.ConfigError, match="mine/some: factory: must return an embedding model, not str"):
        model.embed_query("which?")


def test_a_setting_its_class_does_not_take_is_told(keys):
    """When all candidates' are wrong; and the key is not."""
    model = SparekeyEmbeddings(MODEL, api_key=keys[0], chunk_size="many", tracker=sk.CooldownTracker())

    with pytest.raises(sk.ConfigError, match=f"{MODEL}: chunk_size: Input should be a valid integer") as raised:
        model.embed_query("which?")
    assert keys[0] not in str(raised.value)
    assert model.tracker.snapshot() == {}


def test_a_candidate_that_cannot_be_built_is_passed_over(simulate, keys, caplog):
    """And told of once."""
    sim = simulate("healthy", "healthy")
    row = {**ROW, "api_base": sim.base_url}
    rows = [{**row, "api_key": keys[0], "chunk_size": "many"}, {**row, "api_key": keys[1]}]
    model = SparekeyEmbeddings(model_list=rows, tracker=sk.CooldownTracker())

    for _ in range(2):
        model.embed_query("which?")
    assert sim.counts == {keys[0]: 0, keys[1]: 2}
    assert model.tracker.snapshot() == {}
    assert caplog.text.count("is passed over") == 1


def test_a_constructor_that_calls_a_dead_provider_is_an_attempt_like_any_other():
    """Some classes do; their failure is that candidate's, and the next is tried."""

    def factory(entry):
        if entry.api_key.get_secret_value() == "sk-one":
            raise ConnectionRefusedError("nobody there")
        return DeterministicFakeEmbedding(size=3)

    options = {"api_keys": ["sk-one", "sk-two"], "factory": factory, "tracker": sk.CooldownTracker()}
    model = SparekeyEmbeddings("mine/some", **options)

    assert len(model.embed_query("which?")) == 3
    assert model.tracker.failure_count(model.candidates[0], "network") == 1


def test_a_file_of_both_kinds_needs_no_name(simulate, keys, tmp_path):
    """LiteLLM's ``mode``, said of an entry or in its ``model_info``, tells the rows apart; nobody is sent it."""
    sim = simulate("healthy")
    where = {"api_key": keys[0], "api_base": sim.base_url}
    nested = {"model_name": "docs", "litellm_params": {"model": MODEL, **where}, "model_info": {"mode": "embedding"}}
    chat = {"model_name": "chat", "model": "openai/gpt-4o", "mode": "chat", **where}
    file = tmp_path / "models.json"
    file.write_text(json.dumps({"model_list": [chat, nested], "sparekey_settings": {"max_wait": 7}}))
    tracker = sk.CooldownTracker()

    model = SparekeyEmbeddings.from_config(file, tracker=tracker)
    assert (model.model, model.policy.max_wait) == ("docs", 7)
    assert len(model.embed_query("which?")) == 1536
    assert "key-1" in ChatSparekey.from_config(file, tracker=tracker).invoke("hello").content
    assert not [record for record in sim.requests if "mode" in record.body]


def test_a_mode_may_stand_in_one_row_only(tmp_path):
    """The one group that says it is chosen before those that say nothing."""
    file = tmp_path / "models.json"
    file.write_text(json.dumps([CHAT, {**ROW, "api_key": KEY, "mode": "embedding"}]))

    assert SparekeyEmbeddings.from_config(file).model == "docs"
    with pytest.raises(
        sk.ConfigError, match=r"models\.json: docs: mode: says 'embedding', and ChatSparekey needs a chat"
    ):
        ChatSparekey.from_config(file, model="docs")
    assert ChatSparekey.from_config(file).model == "chat"


@pytest.mark.parametrize("mode", ["Embedding", " EMBEDDING "])
def test_a_mode_may_be_written_in_capitals(tmp_path, mode):
    """Else the chat model would be taken for the one that says nothing of its mode."""
    file = tmp_path / "models.json"
    file.write_text(json.dumps([CHAT, {**ROW, "api_key": KEY, "mode": mode}, {**ROW, "api_key": KEY + "2"}]))

    assert SparekeyEmbeddings.from_config(file).model == "docs"
    assert ChatSparekey.from_config(file).model == "chat"


def test_a_mode_that_nobody_knows_is_said(tmp_path):
    """By both classes, whose choice it would turn around."""
    file = tmp_path / "models.json"
    file.write_text(json.dumps([CHAT, {**ROW, "api_key": KEY, "mode": "embeddings-model"}]))

    for cls in (ChatSparekey, SparekeyEmbeddings):
        with pytest.raises(sk.ConfigError, match=r"models\.json: docs: mode: 'embeddings-model' is none"):
            cls.from_config(file)


def test_a_file_s_mistake_names_the_file(tmp_path):
    """The error says where it looked."""
    file = tmp_path / "models.json"
    file.write_text(json.dumps([{**ROW, "api_key": KEY}]))

    with pytest.raises(sk.ConfigError, match=r"models\.json: no entry is called 'dosc'; did you mean 'docs'\?"):
        SparekeyEmbeddings.from_config(file, model="dosc")


def test_a_policy_and_a_state_choose_the_memory():
    """By default everything of one policy shares the process's one tracker, chat models too."""
    classic = sk.Policy.classic()

    assert SparekeyEmbeddings(MODEL, api_key=KEY).tracker is ChatSparekey("openai/gpt-4o").tracker
    assert SparekeyEmbeddings(MODEL, api_key=KEY, policy=classic).tracker is sk.shared_tracker(classic)
    assert SparekeyEmbeddings(MODEL, api_key=KEY, state="memory://").tracker is sk.shared_tracker()


def test_copies_share_memory_and_connections(simulate, keys):
    """What one learns the other knows, the dimension included."""
    sim = simulate("revoked", "healthy")
    model = SparekeyEmbeddings(MODEL, api_keys=keys[:2], api_base=sim.base_url, tracker=sk.CooldownTracker())
    twins = [copy.copy(model), copy.deepcopy(model)]
    model.embed_query("which?")

    for twin in twins:
        assert twin.dimensions == 1536
        assert len(twin.embed_query("which?")) == 1536
    assert sim.counts == {keys[0]: 1, keys[1]: 3}


def test_a_pickle_holds_no_key(simulate, keys):
    """In this process the copy knows them all the same, and which space it is in."""
    sim = simulate("healthy")
    model = SparekeyEmbeddings(MODEL, api_keys=keys[:1], api_base=sim.base_url, tracker=sk.CooldownTracker())
    model.embed_query("which?")
    pickled = pickle.dumps(model)
    again = pickle.loads(pickled)

    assert keys[0].encode() not in pickled
    assert again.dimensions == 1536
    assert len(again.embed_query("which?")) == 1536


def test_nothing_shows_a_key(keys):
    """Neither a repr nor a string."""
    where = {"api_base": "https://user:sk-hidden-0123456789@provider.invalid/v1?code=sk-code-0123456789"}
    listed = SparekeyEmbeddings(MODEL, api_keys=keys, **where)
    given = SparekeyEmbeddings.from_models([OpenAIEmbeddings(model="text-embedding-3-small", api_key=keys[0])])
    shown = "".join(f"{each!r} {each} {each.clients!r} {each.candidates!r}" for each in (listed, given))

    assert not [key for key in (*keys, "sk-hidden-0123456789", "sk-code-0123456789") if key in shown]
    assert repr(listed) == f"SparekeyEmbeddings('{MODEL}', dimensions=None, candidates=4)"


def test_a_provider_s_package_is_imported_when_it_is_asked():
    """That takes seconds, and who builds embeddings may never ask them."""
    program = (
        "import sys\n"
        "from langchain_sparekey import SparekeyEmbeddings\n"
        f"model = SparekeyEmbeddings({MODEL!r}, api_keys=[f'sk-{{n:09}}' for n in range(1000)])\n"
        "assert len(model.candidates) == 1000 and model.dimensions is None and repr(model)\n"
        "print([name for name in ('openai', 'langchain_openai', 'tiktoken') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
