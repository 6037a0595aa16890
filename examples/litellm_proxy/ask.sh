#!/bin/sh
# Asks the proxy that start.sh started.
set -eu
proxy="http://127.0.0.1:${PORT:-4000}"
key="Authorization: Bearer ${LITELLM_MASTER_KEY:-sk-example-master-key-of-the-proxy}"
json="Content-Type: application/json"

echo "# One key is throttled, the next has no credit, the third answers."
curl -s -i "$proxy/v1/chat/completions" -H "$key" -H "$json" \
  -d '{"model": "chat", "messages": [{"role": "user", "content": "Hello"}]}' | grep -i -e '^HTTP' -e '^x-sparekey'

echo "# From now on it is asked at once, in a stream, too."
curl -s -i -N "$proxy/v1/chat/completions" -H "$key" -H "$json" \
  -d '{"model": "chat", "stream": true, "messages": [{"role": "user", "content": "Hello"}]}' \
  | grep -i -e '^HTTP' -e '^x-sparekey'

echo "# Embeddings have the same keys, so what is known of them holds."
curl -s -i "$proxy/v1/embeddings" -H "$key" -H "$json" \
  -d '{"model": "vectors", "input": "Hello"}' | grep -i -e '^HTTP' -e '^x-sparekey'

echo "# A request that is wrong is the client's own: one call, and no key cools."
curl -s -i "$proxy/v1/chat/completions" -H "$key" -H "$json" \
  -d '{"model": "chat", "temperature": 9, "messages": [{"role": "user", "content": "Hello"}]}' | grep -i -e '^HTTP'

echo "# All keys of this model are dead: 429, and when to come back."
curl -s -i "$proxy/v1/chat/completions" -H "$key" -H "$json" \
  -d '{"model": "hopeless", "messages": [{"role": "user", "content": "Hello"}]}' | grep -i -e '^HTTP' -e '^retry-after'
