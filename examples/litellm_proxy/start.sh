#!/bin/sh
# Starts LiteLLM's proxy with config.yaml, two workers that share what they learn, and a simulated provider behind it.
#
#     pip install 'litellm[proxy]' litellm-sparekey 'sparekey[cli,simulator]'
#     sh examples/litellm_proxy/start.sh        # until Ctrl-C; then, elsewhere: sh examples/litellm_proxy/ask.sh
#
# With keys of your own: export them under the names that config.yaml has, and run the last line with the three
# variables before it.
set -eu
cd "$(dirname "$0")"
port="${PORT:-4000}" provider="${PROVIDER_PORT:-8091}"
state="$(mktemp -d)"

sparekey simulate provider.yaml --port "$provider" > "$state/provider.log" &
trap 'kill $! 2>/dev/null; rm -rf "$state"' EXIT
trap exit INT TERM
export PROVIDER_URL="http://127.0.0.1:$provider/v1"
export KEY_1=sk-example-throttled KEY_2=sk-example-unpaid KEY_3=sk-example-working
export KEY_4=sk-example-rotated KEY_5=sk-example-throttled-too

export LITELLM_LOCAL_MODEL_COST_MAP=True # or a price map is fetched from the network at the start
export LITELLM_MASTER_KEY="${LITELLM_MASTER_KEY:-sk-example-master-key-of-the-proxy}"
export SPAREKEY_STATE="sqlite:///$state/state.db"
export LITELLM_WORKER_STARTUP_HOOKS=litellm_sparekey.proxy:startup
litellm --config config.yaml --host 127.0.0.1 --port "$port" --run_gunicorn --num_workers 2
