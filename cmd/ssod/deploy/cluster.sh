#!/usr/bin/env bash
# Starts three nodes on loopback and prints how to play with them. Ctrl-C stops
# them; started again they go on with the same data.
#
#   cluster.sh [DIR]      DIR holds data and logs, ./ssod-cluster by default
#   PORT=8080             public API of the first node; each node uses five ports
#                         from there, the second and third 100 and 200 higher
#   HOST=127.0.0.1        where they listen; '[::1]' for IPv6
#   CERTS=DIR             mutual TLS with what make certs made
#   BIN=DIR               where ssod and ssoctl are
set -euo pipefail

bin=${BIN:-$(cd "$(dirname "$0")/../../.." && pwd)/bin}
dir=${1:-ssod-cluster}
port=${PORT:-8080}
host=${HOST:-127.0.0.1}
certs=${CERTS:-}
secret=${certs:-$dir}/cluster.secret # the first node makes it, if make certs has not
pids=()

# start NUMBER [FLAG...] starts a node, a member of the cluster that the first
# one founded.
start() {
  local name=n$1 p=$((port + 100 * ($1 - 1)))
  shift
  if [ -n "$certs" ]; then
    set -- "$@" --tls-ca "$certs/ca.pem" --tls-cert "$certs/$name.pem" --tls-key "$certs/$name.key"
  fi
  "$bin/ssod" --node "$name" --data "$dir/$name" --http "$host:$p" --admin "$host:$((p + 1))" \
    --cluster-secret "$secret" --gossip "$host:$((p + 2))" --rpc "$host:$((p + 3))" --raft "$host:$((p + 4))" "$@" \
    >>"$dir/$name.log" 2>&1 &
  pids+=($!)
}

# until_secret waits until there is a secret that the others can prove.
until_secret() {
  until [ -s "$secret" ]; do
    if [ "$(jobs -pr | wc -l)" -lt ${#pids[@]} ]; then
      echo "the first node has stopped: see $dir/n1.log" >&2
      return 1
    fi
    sleep 0.1
  done
}

status() { "$bin/ssoctl" --admin "$host:$((port + 1))" status 2>/dev/null; }

# until_safe waits until any node may die: an acknowledged change is on two disks then.
until_safe() {
  for _ in $(seq 900); do
    if status | grep -q '1 more node may be lost'; then
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
until_secret
start 2 --join "$host:$((port + 2))"
start 3 --join "$host:$((port + 2))"
until_safe
status
cat <<PLAY

Public APIs: http://$host:$port  :$((port + 100))  :$((port + 200))       data and logs: $dir
The secret of the cluster, which every node needs and nobody else: $secret

  bin/ssoctl --admin $host:$((port + 201)) demo        the whole story, on the third node
  bin/ssoctl --admin $host:$((port + 101)) watch       what changes, as it changes
  kill -9 ${pids[0]}                                    the first node dies; nothing is lost
  bin/ssoctl --admin $host:$((port + 101)) status      the others have taken over

Ctrl-C stops the cluster.
PLAY
wait
