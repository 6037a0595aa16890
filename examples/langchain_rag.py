"""Questions answered from documents, while keys of the embeddings and of the chat model die.

pip install 'langchain-sparekey[openai]' 'sparekey[simulator]'
python examples/langchain_rag.py
"""

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_sparekey import ChatSparekey, SparekeyEmbeddings
from sparekey.simulator import Simulator

KEYS = {
    "sk-first-0123456789": {"kind": "limited", "requests": 2, "window": 60},
    "sk-second-0123456789": "healthy",
    "sk-third-0123456789": "healthy",
}
FACTS = [
    "Mars has two moons: Phobos and Deimos",
    "Saturn has 274 moons, more than other planets",
    "Venus has no moon at all",
    "Neptune has years as long as 165 of ours",
]


def main() -> None:
    """Index the facts in slices of one, ask, then let the second key be revoked and ask again."""
    with Simulator(KEYS) as provider:
        where = {"api_keys": list(KEYS), "api_base": provider.base_url}
        embeddings = SparekeyEmbeddings("openai/text-embedding-3-small", dimensions=256, chunk_size=1, **where)
        llm = ChatSparekey("openai/gpt-4o", temperature=0, **where)

        store = InMemoryVectorStore(embeddings)
        store.add_texts(FACTS)
        print(f"{len(store.store)} facts indexed; requests by key: {list(provider.counts.values())}")

        chain = (
            {"fact": store.as_retriever(search_kwargs={"k": 1}) | first, "question": RunnablePassthrough()}
            | ChatPromptTemplate.from_template("{fact}. {question}?")
            | llm
            | StrOutputParser()
        )
        print(chain.invoke("How many moons has Saturn"))

        provider.set("sk-second-0123456789", "revoked")
        print(chain.invoke("Has Venus a moon at all"))
        print(f"requests by key: {list(provider.counts.values())}")
        for record, view in llm.tracker.snapshot().items():
            print(f"cooling: {record} for {view['reason']}, {view['remaining']:.0f} s")


def first(documents: list) -> str:
    """The text of the nearest document."""
    return documents[0].page_content


if __name__ == "__main__":
    main()
