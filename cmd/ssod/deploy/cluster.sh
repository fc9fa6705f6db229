#!/usr/bin/env bash
# Starts three nodes on loopback and prints how to play with them. Ctrl-C stops
# them; started again they go on with the same data.
#
#   cluster.sh [DIR]      DIR holds data and logs, ./ssod-cluster by default
#   PORT=8080             public API of the first node; each node uses five ports
#                         from there, the second and third 100 and 200 higher
#   HOST=127.0.0.1        where they listen; '[::1]' for IPv6
#   CERTS=DIR             mutual TLS and encrypted gossip with what make certs made
#   BIN=DIR               where ssod and ssoctl are
set -euo pipefail

bin=${BIN:-$(cd "$(dirname "$0")/../../.." && pwd)/bin}
dir=${1:-ssod-cluster}
port=${PORT:-8080}
host=${HOST:-127.0.0.1}
certs=${CERTS:-}
pids=()

# start NUMBER [FLAG...] starts a node, a member of the cluster that the first
# one founded.
start() {
  local name=n$1 p=$((port + 100 * ($1 - 1)))
  shift
  if [ -n "$certs" ]; then
    set -- "$@" --tls-ca "$certs/ca.pem" --tls-cert "$certs/$name.pem" --tls-key "$certs/$name.key" \
      --cluster-secret "$certs/cluster.secret"
  fi
  "$bin/ssod" --node "$name" --data "$dir/$name" --http "$host:$p" --admin "$host:$((p + 1))" \
    --gossip "$host:$((p + 2))" --rpc "$host:$((p + 3))" --raft "$host:$((p + 4))" "$@" \
    >>"$dir/$name.log" 2>&1 &
  pids+=($!)
}

status() { "$bin/ssoctl" --admin "$host:$((port + 1))" status 2>/dev/null; }

# until_durable waits until an acknowledged change is on the disks of two nodes.
until_durable() {
  for _ in $(seq 900); do
    if status | grep -q 'durability of 2 nodes'; then
      return
    fi
    if [ "$(jobs -pr | wc -l)" -lt ${#pids[@]} ]; then
      echo "a node has stopped: see $dir/*.log" >&2
      return 1
    fi
    sleep 0.2
  done
  echo "the cluster did not form within three minutes: see $dir/*.log" >&2
  return 1
}

finish() {
  trap - EXIT
  kill "${pids[@]}" 2>/dev/null || true
  wait
}

mkdir -p "$dir"
trap finish EXIT
trap exit INT TERM
start 1
start 2 --join "$host:$((port + 2))"
start 3 --join "$host:$((port + 2))"
until_durable
status
cat <<PLAY

Public APIs: http://$host:$port  :$((port + 100))  :$((port + 200))       data and logs: $dir

  bin/ssoctl --admin $host:$((port + 201)) demo        the whole story, on the third node
  bin/ssoctl --admin $host:$((port + 101)) watch       what changes, as it changes
  kill -9 ${pids[0]}                                    the first node dies; nothing is lost
  bin/ssoctl --admin $host:$((port + 101)) status      the others have taken over

Ctrl-C stops the cluster.
PLAY
wait
