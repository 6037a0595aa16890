"""Which class serves a provider, and how what an entry says reaches it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from langchain_openai import ChatOpenAI

import sparekey as sk
from langchain_sparekey import ChatSparekey, _provider_names
from langchain_sparekey._provider_fields import secrets_of
from langchain_sparekey._provider_names import CLASSES, Source

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # no look at GitHub when LiteLLM is imported

KEY = "sk-test-0123456789abcdef"
NOWHERE = "http://provider.invalid/v1"


def chat(model, **options):
    """A model of one candidate, with a memory of its own."""
    return ChatSparekey(model=model, tracker=sk.CooldownTracker(), **options)


def built(model, **options):
    """The chat model behind the one candidate."""
    sparekey = chat(model, **options)
    return sparekey.clients.model(sparekey.candidates[0])


@pytest.fixture
def installed(monkeypatch):
    """Says which packages there are, whatever is installed."""

    def only(*packages):
        monkeypatch.setattr(_provider_names, "_found", {})
        monkeypatch.setattr(_provider_names, "is_installed", lambda module: module.partition(".")[0] in packages)

    return only


INSTALLED = [name for name, (module, _) in CLASSES.items() if _provider_names.is_installed(module)]


CONSTRUCT = """
import sys
from langchain_sparekey import ChatSparekey

providers = sys.argv[1:]
rows = [
    {"model_name": "chat", "model": f"{providers[i % len(providers)]}/model-{i}", "api_key": f"sk-test-{i}"}
    for i in range(1000)
]
rows += [{"model_name": "chat", "model": "hosted_vllm/some", "api_base": "http://provider.invalid/v1"}]
model = ChatSparekey(model="chat", model_list=rows)
repr(model), model._identifying_params, model._get_ls_params()
assert len(model.candidates) == 1001
print(*sys.modules)
"""


def test_a_thousand_candidates_import_no_provider():
    """Of all providers, with a repr, an identity and a trace: what is imported waits for the first call."""
    run = subprocess.run(
        [sys.executable, "-c", CONSTRUCT, *INSTALLED], capture_output=True, text=True, check=False, timeout=60
    )
    loaded = set(run.stdout.split())

    assert run.returncode == 0, run.stderr
    assert "langchain_core" in loaded
    packages = {module.partition(".")[0] for module, _ in CLASSES.values()}
    assert not loaded & (packages | {"openai", "anthropic", "groq", "google.genai", "cohere", "litellm", "langchain"})


def test_packages_are_looked_for_once_a_provider(monkeypatch):
    """Not once a key, nor once an address: a look takes as long as the rest of a candidate."""
    looked = []
    monkeypatch.setattr(_provider_names, "_found", {})
    monkeypatch.setattr(_provider_names, "is_installed", lambda module: looked.append(module) or "openai" in module)
    rows = [{"model_name": "chat", "model": "acme/some", "api_base": f"http://host-{i}.invalid"} for i in range(100)]
    ChatSparekey(model="chat", model_list=rows)

    assert looked == ["langchain_acme", "langchain_openai"]


def test_the_classes_are_those_langchain_names():
    """Of LangChain's own list, as far as the installed release has it; Hugging Face's class is put around another."""
    theirs = pytest.importorskip("langchain.chat_models.base")._BUILTIN_PROVIDERS
    ours = {name: where for name, where in CLASSES.items() if name in theirs and name != "huggingface"}

    assert len(ours) > 20
    assert ours == {name: theirs[name][:2] for name in ours}


@pytest.mark.parametrize(
    ("provider", "says"),
    [
        ("groq", "'groq' needs the package langchain-groq or langchain-litellm: pip install langchain-groq"),
        ("gemini", "'gemini' needs the package langchain-google-genai or langchain-litellm: pip install langchain-goo"),
        ("litellm/zai", "'litellm' needs the package langchain-litellm: pip install langchain-litellm"),
        ("zhipu", "LangChain knows no provider 'zhipu'; with its address as api_base"),
    ],
)
def test_a_missing_package_is_named_at_once(installed, provider, says):
    """Both of those that would do, LangChain's own first."""
    installed("langchain_openai")
    with pytest.raises(sk.ConfigError) as raised:
        chat(f"{provider}/some-model", api_key=KEY)

    assert says in str(raised.value)


@pytest.mark.parametrize("provider", ["anthropic", "ollama", "gemini"])
def test_a_language_of_its_own_is_not_taken_for_openais(installed, provider):
    """An address alone is not enough for those."""
    installed("langchain_openai")
    with pytest.raises(sk.ConfigError, match=f"{provider!r} needs the package"):
        chat(f"{provider}/some-model", api_base=NOWHERE)


def test_an_address_without_openais_package_says_what_is_missing(installed):
    """The class that would speak to it is in a package, too."""
    installed()
    with pytest.raises(
        sk.ConfigError, match="'some-model' at an address of its own needs the package langchain-openai"
    ):
        chat("hosted_vllm/some-model", api_base=NOWHERE)


@pytest.mark.parametrize(
    ("packages", "address", "expected"),
    [
        (("langchain_groq", "langchain_openai", "langchain_litellm"), NOWHERE, "groq"),
        (("langchain_openai", "langchain_litellm"), NOWHERE, "openai"),
        (("langchain_openai", "langchain_litellm"), None, "litellm"),
        (("langchain_litellm",), NOWHERE, "litellm"),
    ],
)
def test_its_own_package_goes_before_its_address_before_litellm(installed, packages, address, expected):
    """What was found then serves the candidate."""
    installed(*packages)

    assert _provider_names.find_source("groq", addressed=address is not None).name == expected


def test_what_is_installed_later_is_found(installed):
    """Nobody has to start a notebook again after a pip install."""
    installed()
    with pytest.raises(sk.ConfigError):
        chat("groq/some-model", api_key=KEY)
    installed("langchain_groq")

    assert chat("groq/some-model", api_key=KEY).candidates


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """A LangChain package that sparekey has never heard of; gives a way to write what is in it."""

    def write(text):
        (tmp_path / "langchain_acme.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)

    monkeypatch.delitem(sys.modules, "langchain_acme", raising=False)
    yield write
    sys.modules.pop("langchain_acme", None)
    _provider_names._found.clear()


ACME = """
from langchain_core.language_models.fake_chat_models import FakeListChatModel

class ChatAcme(FakeListChatModel):
    responses: list = ["from acme"]
    acme_api_key: str
    model: str
"""


def test_any_langchain_package_serves_its_provider(acme):
    """By LangChain's convention: ``langchain_acme`` has the class for ``acme``, whose key field is looked up in it."""
    acme(ACME)
    model = chat("acme/some-model", api_key=KEY)

    assert "langchain_acme" not in sys.modules
    assert model.invoke("hello").content == "from acme"
    assert built("acme/some-model", api_key=KEY).acme_api_key == KEY


def test_a_package_of_several_chat_models_must_have_one_of_the_providers_name(acme):
    """Otherwise nobody can say which is meant."""
    acme(ACME + "class ChatAcmeVision(ChatAcme): pass\n")
    assert type(built("acme/some-model", api_key=KEY)).__name__ == "ChatAcme"

    sys.modules.pop("langchain_acme")
    acme(ACME.replace("ChatAcme", "ChatOne") + "class ChatTwo(ChatOne): pass\n")
    with pytest.raises(sk.ConfigError, match="acme/some-model: langchain_acme has 2 chat models; make the right one"):
        built("acme/some-model", api_key=KEY)


def test_a_key_that_would_be_forgotten_is_refused():
    """``ChatOllama`` takes one without a word."""
    pytest.importorskip("langchain_ollama")

    assert built("ollama/qwen3").model == "qwen3"
    with pytest.raises(sk.ConfigError) as raised:
        built("ollama/qwen3", api_key=KEY)
    assert str(raised.value) == (
        "ollama/qwen3: api_key: ChatOllama has no place for it; leave it out, name its field as key_field, or make the "
        "model with a factory"
    )


def test_an_entry_may_name_the_field_of_its_key(acme):
    """For a class that has several, or calls it as nobody would guess."""
    acme(ACME.replace("acme_api_key", "entry_code"))
    with pytest.raises(sk.ConfigError, match="acme/some-model: entry_code: Field required"):
        built("acme/some-model", api_key=KEY)

    assert built("acme/some-model", api_key=KEY, key_field="entry_code").entry_code == KEY


@pytest.mark.parametrize(
    ("provider", "field"),
    [
        ("cohere", "cohere_api_key"),
        ("deepseek", "api_key"),
        ("gemini", "google_api_key"),
        ("huggingface", "huggingfacehub_api_token"),
        ("litellm/zai", "api_key"),
        ("mistral", "mistral_api_key"),
        ("nvidia_nim", "api_key"),
        ("together_ai", "together_api_key"),
        ("bedrock_mantle_anthropic", "bedrock_api_key"),
    ],
)
def test_the_key_goes_where_the_class_looks_for_it(provider, field):
    """Whatever it is called there, and however deep it is kept."""
    model = _provider_names.langchain_name_of(provider.partition("/")[0])
    pytest.importorskip(CLASSES[model][0])
    settings = {"aws_region_name": "eu-north-1"} if provider.startswith("bedrock") else {}
    settings |= {"api_base": NOWHERE} if provider == "nvidia_nim" else {}  # NVIDIA's would be asked for its models
    secrets = secrets_of(built(f"{provider}/some-model", api_key=KEY, **settings))

    assert KEY in secrets.values()
    assert secrets.get(field, KEY) == KEY


@pytest.mark.parametrize(
    ("provider", "field", "expected"),
    [
        ("openai", "request_timeout", 7.5),
        ("anthropic", "default_request_timeout", 7.5),
        ("cohere", "timeout_seconds", 7.5),
        ("mistral", "timeout", 8),  # takes whole seconds only
        ("openrouter", "request_timeout", 7500),  # counts milliseconds
        ("ollama", "client_kwargs", {"timeout": 7.5}),
        ("litellm/zai", "request_timeout", 7.5),
    ],
)
def test_a_timeout_arrives_in_the_unit_of_the_class(provider, field, expected):
    """An entry's are seconds."""
    pytest.importorskip(CLASSES[_provider_names.langchain_name_of(provider.partition("/")[0])][0])
    key = {} if provider == "ollama" else {"api_key": KEY}

    assert getattr(built(f"{provider}/some-model", timeout=7.5, **key), field) == expected


def test_settings_may_have_litellms_names():
    """A list written for LiteLLM is read as it is; cloud credentials are the key there."""
    pytest.importorskip("langchain_aws")
    secret = {"aws_access_key_id": "AKIA0123456789", "aws_secret_access_key": KEY}
    model = built("bedrock/some-model", aws_region_name="eu-north-1", **secret)

    assert (model.region_name, model.max_retries) == ("eu-north-1", 0)
    assert model.aws_secret_access_key.get_secret_value() == KEY


def test_litellms_own_settings_go_with_the_call():
    """``ChatLiteLLM`` has no fields for them."""
    pytest.importorskip("langchain_litellm")
    model = built("litellm/zai/glm-next", api_key=KEY, api_version="2026", model_kwargs={"seed": 1}, temperature=0.5)

    assert (model.model, model.temperature) == ("zai/glm-next", 0.5)
    assert model.model_kwargs["api_version"] == "2026"
    assert model.model_kwargs["seed"] == 1


@pytest.mark.parametrize(
    ("written", "litellm"), [("zai", "zai"), ("google_genai", "gemini"), ("together", "together_ai")]
)
def test_litellm_hears_its_own_name_of_a_provider(installed, written, litellm):
    """Where LangChain calls it otherwise."""
    pytest.importorskip("langchain_litellm")
    installed("langchain_litellm")

    assert built(f"{written}/some-model", api_key=KEY).model == f"{litellm}/some-model"


def test_a_provider_nobody_knows_is_told_when_litellm_is_asked(installed):
    """It is not asked before its turn, since that takes seconds."""
    pytest.importorskip("langchain_litellm")
    installed("langchain_litellm")

    with pytest.raises(
        sk.ConfigError, match="zhipu/glm: model: LiteLLM knows no provider 'zhipu' either; with its addr"
    ):
        built("zhipu/glm", api_key=KEY)


def test_an_address_is_never_sent_the_key_of_openais_variable(monkeypatch):
    """Whoever is there has nothing to do with OpenAI; a local server wants no key at all."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    assert secrets_of(built("hosted_vllm/some-model", api_base=NOWHERE)) == {"openai_api_key": "none"}
    assert secrets_of(built("openai/some-model", api_base=NOWHERE)) == {"openai_api_key": KEY}


def test_an_address_a_class_has_no_place_for_is_refused(acme):
    """Rather than asking the provider's own."""
    acme(ACME)
    with pytest.raises(sk.ConfigError, match="acme/some-model: api_base: ChatAcme takes none; give a factory"):
        built("acme/some-model", api_key=KEY, api_base=NOWHERE)


CLOUD = {"region_name": "eu-north-1", "aws_access_key_id": "AKIA0123456789", "aws_secret_access_key": KEY}


@pytest.mark.parametrize("provider", [name for name in INSTALLED if name not in ("huggingface", "ibm")])
def test_a_trace_names_the_provider_as_its_class_does(provider):
    """Prices are looked up by that name; nothing has to be built for it."""
    settings = CLOUD if "bedrock" in provider else {} if provider == "ollama" else {"api_key": KEY}
    settings |= {"api_base": NOWHERE} if provider in ("azure_openai", "nvidia") else {}
    settings |= {"api_version": "2026-01-01"} if provider == "azure_openai" else {}
    model = chat(f"{provider}/{'openai/' if provider == 'litellm' else ''}some-model", **settings)
    traced = model.clients.traced(model.candidates[0])

    assert traced["ls_provider"] == model.clients.model(model.candidates[0])._get_ls_params()["ls_provider"]


SHOWN = ("cohere", "deepseek", "groq", "litellm", "mistral", "openrouter", "xai")
ADDRESSED = [(provider, address) for provider in SHOWN for address in (None, NOWHERE)]


@pytest.mark.parametrize(("provider", "address"), [*ADDRESSED, ("nvidia", NOWHERE)])
def test_a_key_is_the_same_in_a_list_and_in_a_model_of_any_class(provider, address):
    """Whatever fields hold it, and whatever address a class puts where nobody has set one."""
    pytest.importorskip(CLASSES[_provider_names.langchain_name_of(provider)][0])
    model = f"{provider}/{'openai/' if provider == 'litellm' else ''}some-model"
    (listed,) = chat(model, api_key=KEY, api_base=address).candidates
    (given,) = ChatSparekey.from_models([built(model, api_key=KEY, api_base=address)]).candidates

    assert (given.provider, given.model, given.endpoint) == (listed.provider, listed.model, listed.endpoint)
    assert given.credential == listed.credential


def test_hugging_faces_chat_model_is_put_around_its_endpoint():
    """Its address, when there is one, speaks OpenAI's language."""
    pytest.importorskip("langchain_huggingface")
    model = built("huggingface/org/some-model", api_key=KEY, max_tokens=77, temperature=0.5)

    assert type(model).__name__ == "ChatHuggingFace"
    assert (model.llm.model, model.max_tokens, model.temperature) == ("org/some-model", 77, 0.5)
    assert type(built("huggingface/org/some-model", api_key=KEY, api_base=NOWHERE)) is ChatOpenAI


def test_a_class_that_is_gone_is_said_in_one_line(monkeypatch):
    """A package may be older, or newer, than the class."""
    monkeypatch.setitem(CLASSES, "gone", ("langchain_openai", "ChatGone"))
    monkeypatch.setattr(_provider_names, "_found", {})

    with pytest.raises(sk.ConfigError, match=r"gone/some-model: AttributeError: module 'langchain_openai' has no"):
        built("gone/some-model", api_key=KEY)
    assert Source("openai", *CLASSES["openai"]).load() is ChatOpenAI
