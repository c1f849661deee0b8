# Machines as network namespaces with a linnet each; sourced by the scripts beside it. Needs root.
# $1 of those scripts is the program. What they find is one JSON object on stdout; exit 77: cannot be made here.
set -euo pipefail
LINNET=${1:?the program linnet}
speech=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)/assets/speech.wav
work=$(mktemp -d)
machines=()

need() {
  local tool
  [ "$(id -u)" -eq 0 ] || { echo "makes network namespaces: needs root" >&2; exit 77; }
  for tool in "$@"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 77; }
  done
}
PATH=$PATH:/usr/sbin:/sbin
ns() { echo "lab-$$-$1"; }
node() { local name=$1; shift; "$LINNET" --home "$work/$name" "$@"; }

world_end() {
  local m
  trap '' INT TERM HUP  # nobody interrupts this, nor the programs that do it
  for m in "${machines[@]}"; do node "$m" down >/dev/null 2>&1 & done
  wait
  for m in "${machines[@]}" hub; do ip netns del "$(ns "$m")" 2>/dev/null || true; done
  rm -rf "$work"
}
trap world_end EXIT

# machine NAME: a namespace with loopback, and an identity NAME@lab.example.
machine() {
  ip netns add "$(ns "$1")"
  machines+=("$1")
  ip -n "$(ns "$1")" link set lo up
  mkdir -p -m 700 "$work/$1"
  node "$1" id new "$1@lab.example" >/dev/null
}

# cable A IF B IF: two machines' interfaces joined, still down.
cable() { ip link add "$2" netns "$(ns "$1")" type veth peer name "$4" netns "$(ns "$3")"; }

# switch: what `plug NAME ADDRESS/LENGTH` plugs machines into.
switch() {
  ip netns add "$(ns hub)"
  ip -n "$(ns hub)" link add switch type bridge
  ip -n "$(ns hub)" link set switch up
}
plug() {
  ip link add eth0 netns "$(ns "$1")" type veth peer name "to-$1" netns "$(ns hub)"
  ip -n "$(ns hub)" link set "to-$1" master switch up
  ip -n "$(ns "$1")" link set eth0 up
  ip -n "$(ns "$1")" addr add "$2" dev eth0
}

up() { local name=$1; shift; ip netns exec "$(ns "$name")" "$LINNET" --home "$work/$name" up --auto-answer --play "$speech" --record "$work/$name/heard.wav" "$@" >/dev/null; }

# until NAME PATTERN [SECONDS]: follows the events of a node until one matches.
until_event() {
  local watcher line status=1
  exec 3< <(exec "$LINNET" --home "$work/$1" status --watch --json)
  watcher=$!
  while read -r -t "${3:-60}" line <&3; do
    if [[ $line =~ $2 ]]; then status=0; break; fi
  done
  kill "$watcher" 2>/dev/null || true
  exec 3<&-
  return $status
}

# call FROM TO [FLAGS]: the last line of what call --json says.
call() {
  local from=$1 to=$2
  shift 2
  { node "$from" call "$to@lab.example" --json --play "$speech" --record "$work/$from/called.wav" "$@" || true; } | tail -n 1
}

# loud FILE: whether it holds speech.
loud() { "$(dirname "${BASH_SOURCE[0]}")/../loud.py" "$1"; }
