"""What can be handed to ``ChatSparekey``, and what it says of what cannot work."""

from __future__ import annotations

import json

import pytest
from langchain_openai import AzureChatOpenAI, ChatOpenAI
from pydantic import SecretStr

import sparekey as sk
from langchain_sparekey import ChatSparekey

ROW = {"model_name": "chat", "model": "openai/gpt-4o"}
KEY = "sk-test-0123456789abcdef"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "ChatSparekey: model: say which, as in model='openai/gpt-4o'"),
        ({"model": "openai/gpt-4o", "api_keys": []}, "ChatSparekey('openai/gpt-4o'): api_keys: has no key in it"),
        ({"model": "openai/gpt-4o", "api_keys": [" ", None]}, "ChatSparekey('openai/gpt-4o'): api_keys: has no key"),
        ({"model": "openai/gpt-4o", "api_key": ""}, "ChatSparekey('openai/gpt-4o'): api_key: has no key in it"),
        ({"model": "openai/gpt-4o", "api_keys": KEY}, "ChatSparekey('openai/gpt-4o'): api_keys: must be a list"),
        ({"model": "openai/gpt-4o", "api_keys": ["os.environ/NOWHERE"]}, "ChatSparekey('openai/gpt-4o'): api_keys[0]"),
        ({"model": "gpt-4o", "api_key": KEY}, "gpt-4o: model: 'gpt-4o' does not name its provider"),
        ({"model": "openai/gpt-4o", "api_key": KEY, "deadline": -1}, "deadline must be a number of seconds"),
        ({"model": "openai/gpt-4o", "api_key": KEY, "deadline": "soon"}, "deadline must be a number of seconds"),
        ({"model": "openai/gpt-4o", "api_key": KEY, "timeout": 0}, "timeout must be a positive number of seconds"),
        ({"model": "openai/gpt-4o", "api_key": KEY, "state": "moon://x"}, "state: "),
        ({"model": "openai/gpt-4o", "tracker": sk.CooldownTracker(), "state": "memory://"}, "state: a tracker has one"),
        ({"model": "openai/gpt-4o", "api_key": KEY, "tags": 5}, "ChatSparekey: tags: Input should be a valid list"),
        ({"model": "openai/gpt-4o", "api_key": KEY, "tracker": "x"}, "ChatSparekey: tracker: "),
        ({"model": "openai/gpt-4o", "api_key": KEY, "rpm": 0}, "ChatSparekey: rpm: "),
        (
            {"model": "openai/gpt-4o", "api_key": KEY, "model_name": "x"},
            "ChatSparekey: model_name: said by the entries",
        ),
        ({"model": "openai/gpt-4o", "api_key": lambda: KEY}, "a key must be a text; for one that a function fetches"),
        ({"model": "chat", "model_list": []}, "model_list: must be a list of entries"),
        ({"model": "chat", "model_list": ROW}, "model_list: must be a list of entries"),
        ({"model": "caht", "model_list": [ROW]}, "no entry is called 'caht'; did you mean 'chat'?"),
        (
            {"model": "chat", "model_list": [{**ROW, "api_keys": []}]},
            "model_list[0] (chat): api_keys: is an empty list",
        ),
        ({"model": "chat", "model_list": [{**ROW, "api_keys": [""]}]}, "model_list[0] (chat): api_keys: has no key"),
        (
            {"model": "chat", "model_list": [{**ROW, "fallbacks": ["x"]}]},
            "no entry is called 'x', a fallback of 'chat'",
        ),
        ({"model": "chat", "model_list": [{**ROW, "timeout": -2, "api_key": KEY}]}, "model_list[0] (chat): timeout: "),
        ({"model": "chat", "model_list": [ROW], "api_key": KEY}, "ChatSparekey: api_key: said by the entries"),
        ({"model_list": [ROW, {**ROW, "model_name": "b"}]}, "ChatSparekey: model: say which; there are 'chat', 'b'"),
    ],
)
def test_what_cannot_work_is_said_in_one_line_at_once(options, says):
    """A ConfigError, not pydantic's error: that one quotes what it was given."""
    with pytest.raises(sk.ConfigError) as raised:
        ChatSparekey(**options)

    text = str(raised.value)
    assert says in text
    assert "\n" not in text
    assert KEY not in text
    assert raised.value.__cause__ is raised.value.__context__ is None


@pytest.mark.parametrize(
    ("models", "options", "says"),
    [
        ([], {}, "there is no model in the list"),
        (["gpt-4o"], {}, "models[0]: must be a chat model, not str"),
        ([ChatOpenAI(model="gpt-4o", api_key=KEY).bind(stop=["."])], {}, "bind tools and settings to the result"),
        ([ChatOpenAI(model="gpt-4o", api_key=KEY)], {"temperature": 0}, "temperature: said by the models themselves"),
    ],
)
def test_what_cannot_be_asked_is_said_at_once(models, options, says):
    """The same for models the user has built."""
    with pytest.raises(sk.ConfigError) as raised:
        ChatSparekey.from_models(models, **options)

    assert says in str(raised.value)


def test_a_setting_its_class_does_not_take_stops_the_request(keys):
    """A mistake in a list is told when its entry's turn comes, rather than hidden behind the next candidate."""
    rows = [{**ROW, "api_keys": keys[:2], "n": 0, "api_base": "http://provider.invalid/v1"}]

    with pytest.raises(sk.ConfigError, match="chat: settings: Value error, n must be at least 1"):
        ChatSparekey(model="chat", model_list=rows).invoke("hello")


def test_one_line_makes_a_model_of_any_form_of_key(monkeypatch):
    """Texts, secrets, references; blanks and repeats do not count."""
    monkeypatch.setenv("SPARE_KEY", "sk-three")
    keys = ["sk-one", SecretStr("sk-two"), " ", "sk-one", "os.environ/SPARE_KEY"]
    model = ChatSparekey("openai/gpt-4o", api_key="sk-zero", api_keys=keys)
    built = [model.clients.model(who).openai_api_key.get_secret_value() for who in model.candidates]

    assert built == ["sk-zero", "sk-one", "sk-two", "sk-three"]


def test_settings_for_all_may_be_references_too(simulate, keys, monkeypatch):
    """As in an entry; and numbers written as text are numbers."""
    sim = simulate("healthy")
    monkeypatch.setenv("OUR_TEAM", "blue")
    settings = {"default_headers": {"X-Team": "os.environ/OUR_TEAM"}, "rpm": "600", "tracker": sk.CooldownTracker()}
    model = ChatSparekey(model="openai/gpt-4o", api_keys=keys[:1], api_base=sim.base_url, **settings)
    model.invoke("hello")

    assert sim.requests[-1].headers["x-team"] == "blue"
    assert model.candidates[0].rpm == 600


def test_without_a_key_the_providers_own_variable_counts(simulate, keys, monkeypatch):
    """As for LangChain's own class."""
    sim = simulate("healthy")
    monkeypatch.setenv("OPENAI_API_KEY", keys[0])

    assert "key-1" in ChatSparekey(model="openai/gpt-4o", api_base=sim.base_url).invoke("hello").content


@pytest.mark.parametrize("model", ["openai/gpt-4o", "openai:gpt-4o", "gpt/gpt-4o"])
def test_a_model_may_be_written_as_langchain_does(model):
    """It is the same candidate."""
    assert ChatSparekey(model=model, api_key="sk-one").candidates[0].id.startswith("openai/gpt-4o#")


@pytest.mark.parametrize("model", ["zhipu/glm-4.7", "glm-4.7", "qwen3:8b", "hosted_vllm/org/glm-4.7"])
def test_an_unknown_provider_with_an_address_speaks_openais_language(model):
    """As most of them do."""
    chat = ChatSparekey(model=model, api_keys=["sk-one"], base_url="http://provider.invalid/v1", temperature=0.5)
    built = chat.clients.model(chat.candidates[0])

    assert type(built) is ChatOpenAI
    assert built.model_name == model.partition("/")[2] or model
    assert (built.openai_api_base, built.temperature, built.max_retries) == ("http://provider.invalid/v1", 0.5, 0)


def test_azure_is_called_by_its_deployment():
    """Its class has other names for things."""
    options = {"api_base": "https://x.invalid", "api_version": "2024-06-01", "timeout": 7}
    chat = ChatSparekey(model="azure/deployed", api_keys=["sk-one", "sk-two"], **options)
    built = chat.clients.model(chat.candidates[1])

    assert isinstance(built, AzureChatOpenAI)
    assert (built.deployment_name, built.azure_endpoint, built.request_timeout) == ("deployed", "https://x.invalid", 7)
    assert (built.openai_api_key.get_secret_value(), built.max_retries) == ("sk-two", 0)


def test_a_factory_makes_the_model_of_an_entry(scripted, ask_whole):
    """It gets one entry with one key, its references resolved, and is asked once for each."""
    made = []

    def factory(entry):
        made.append((entry.api_key.get_secret_value(), entry.settings))
        return scripted(name_=entry.model)

    model = ChatSparekey(model="mine/some", api_keys=["sk-one", "sk-two"], factory=factory, region="north")

    assert [ask_whole(model, "hello") for _ in range(2)] == ["mine/some", "mine/some"]
    assert made == [("sk-one", {"region": "north"})]


def test_a_factory_of_something_else_is_told_so():
    """Rather than failing on the first call of it."""
    with pytest.raises(sk.ConfigError, match="mine/some: factory: must return a chat model, not str"):
        ChatSparekey(model="mine/some", api_key="sk-one", factory=lambda entry: "model").invoke("hello")


def test_a_constructor_that_calls_a_dead_provider_is_an_attempt_like_any_other(scripted):
    """Some classes do; their failure is that candidate's, and the next is tried."""

    def factory(entry):
        if entry.api_key.get_secret_value() == "sk-one":
            raise ConnectionRefusedError("nobody there")
        return scripted(name_="served")

    model = ChatSparekey(
        model="mine/some", api_keys=["sk-one", "sk-two"], factory=factory, tracker=sk.CooldownTracker()
    )

    assert model.invoke("hello").content == "served"
    assert not model.tracker.is_available(model.candidates[0])


def test_a_file_makes_a_model(simulate, keys, tmp_path):
    """The name may be left out when there is only one."""
    sim = simulate("revoked", "healthy")
    file = tmp_path / "models.json"
    file.write_text(json.dumps({"model_list": [{**ROW, "api_keys": keys[:2], "api_base": sim.base_url}]}))
    tracker = sk.CooldownTracker()

    assert "key-2" in ChatSparekey.from_config(file, tracker=tracker).invoke("hello").content
    assert "key-2" in ChatSparekey.from_config(str(file), model="chat", tracker=tracker).invoke("hello").content
    assert sim.counts == {keys[0]: 1, keys[1]: 2}


def test_a_file_that_has_no_such_name_is_named(tmp_path):
    """The error says where it looked."""
    file = tmp_path / "models.json"
    file.write_text(json.dumps([{**ROW, "api_key": KEY}]))

    with pytest.raises(sk.ConfigError, match=r"models\.json: no entry is called 'caht'; did you mean 'chat'\?"):
        ChatSparekey.from_config(file, model="caht")


def test_a_config_file_s_settings_are_the_policy(tmp_path):
    """What stands beside the list counts, unless another policy is given."""
    file = tmp_path / "models.json"
    row = {"model_name": "chat", "model": "openai/gpt-4o", "api_key": "sk-written-0123456789"}
    file.write_text(json.dumps({"model_list": [row], "sparekey_settings": {"max_wait": 7}}))

    assert ChatSparekey.from_config(file).policy.max_wait == 7
    assert ChatSparekey.from_config(file, policy=sk.Policy(max_wait=3)).policy.max_wait == 3


def test_a_policy_and_a_state_choose_the_memory():
    """By default everything of one policy shares the process's one tracker."""
    classic = sk.Policy.classic()

    assert ChatSparekey("openai/gpt-4o", api_key="sk-one").tracker is sk.shared_tracker()
    assert ChatSparekey("openai/gpt-4o", api_key="sk-one", policy=classic).tracker is sk.shared_tracker(classic)
    assert ChatSparekey("openai/gpt-4o", api_key="sk-one", state="memory://").tracker is sk.shared_tracker()
