"""A retrieval chain whose keys die midway, of embeddings and of the chat model, does not notice."""

from __future__ import annotations

import asyncio

import pytest
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore

import sparekey as sk
from langchain_sparekey import ChatSparekey, SparekeyEmbeddings

FACTS = [f"planet {name} has {moons} moons" for name, moons in (("mars", 2), ("jupiter", 95), ("saturn", 146))]
MORE = [f"comet number {i} passes every {i} years" for i in range(1, 40)]
PROMPT = ChatPromptTemplate.from_template("Facts: {facts}. Question: {question}")


@pytest.fixture
def limited_then_dead(simulate):
    """The first key serves a little and is throttled, the second is revoked, the third and fourth are well."""
    return simulate({"kind": "limited", "requests": 3, "window": 600}, "revoked", "healthy", "healthy")


@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_chain_of_retriever_prompt_model_and_parser(limited_then_dead, keys, how):
    """Both share one memory: the key that is revoked is met once, whoever meets it."""
    sim, tracker = limited_then_dead, sk.CooldownTracker()
    where = {"api_keys": keys, "api_base": sim.base_url, "tracker": tracker}
    embeddings = SparekeyEmbeddings("openai/text-embedding-3-small", chunk_size=10, **where)
    store = InMemoryVectorStore(embeddings)
    retriever = store.as_retriever(search_kwargs={"k": 1})
    facts = retriever | (lambda found: found[0].page_content)
    chain = (
        {"facts": facts, "question": RunnablePassthrough()}
        | PROMPT
        | ChatSparekey("openai/gpt-4o", **where)
        | StrOutputParser()
    )
    documents = [Document(text) for text in FACTS + MORE]

    if how == "sync":
        store.add_documents(documents)
        answer = chain.invoke("how many moons has jupiter")
    else:

        async def go():
            await store.aadd_documents(documents)
            return await chain.ainvoke("how many moons has jupiter")

        answer = asyncio.run(go())

    assert "planet jupiter has 95 moons" in answer
    assert len(store.store) == 42
    sent = [text for record in sim.requests if record.status == 200 for text in record.body.get("input", ())]
    assert sent == [*FACTS, *MORE, "how many moons has jupiter"]
    assert sim.count(keys[1]) == 1
