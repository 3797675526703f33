# shellcheck shell=bash disable=SC2034 # what is set here is for the script
# Starts programs of ours for a script, and ends them by their pids. For bash scripts to source; $build
# says where the programs are. What they write goes to $dir, a folder that goes with the script.
dir=$(mktemp -d)
pids=()

finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$dir"
}
trap finish EXIT

# start NAME [OPTION]...: waits for its ready line. $ready_line is that line then, $started its pid.
ready_line='' started=''
start() {
    local name=$1 pipe=$dir/$1.ready
    mkfifo "$pipe"
    "${build:?}/$name" "${@:2}" >"$pipe" &
    started=$!
    pids+=("$started")
    if ! read -r ready_line <"$pipe"; then
        echo "${0##*/}: $name did not start" >&2
        exit 1
    fi
    rm "$pipe"
}

# end PID [SIGNAL]: ends one of them, and waits until it is gone.
end() {
    local left=()
    kill -s "${2:-TERM}" "$1"
    { wait "$1" || true; } 2>/dev/null
    for pid in "${pids[@]}"; do [ "$pid" = "$1" ] || left+=("$pid"); done
    pids=("${left[@]}")
}
