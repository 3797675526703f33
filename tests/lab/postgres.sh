#!/bin/sh
# A PostgreSQL server of the tests' own: a cluster in a folder, heard on a socket there and nowhere else. Debian's
# clusters are left alone, and need not run. It refuses root, so root starts it as the user postgres.
# usage: tests/lab/postgres.sh run COMMAND...   one for COMMAND, which finds it in TEST_POSTGRES
#        tests/lab/postgres.sh start FOLDER [SETTING=VALUE...]   prints its URI
#        tests/lab/postgres.sh standby FOLDER OF      one that follows the server in folder OF; prints its URI
#        tests/lab/postgres.sh promote FOLDER         it follows no more, and may be written
#        tests/lab/postgres.sh watch FOLDER PID   ends it and removes its folder when that process has ended
#        tests/lab/postgres.sh stop|kill FOLDER                  kill: as a crash does
set -eu

bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || {
    echo "tests/lab/postgres.sh: no PostgreSQL server (Debian's package postgresql)" >&2
    exit 1
}

as_server() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

make_cluster() { # FOLDER
    mkdir -p "$1"
    chmod 755 "$1"
    if [ "$(id -u)" -eq 0 ]; then chown postgres "$1"; fi
    as_server "$bin/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$1/initdb.out" 2>&1 || {
        cat "$1/initdb.out" >&2
        exit 1
    }
}

start() { # FOLDER SETTING=VALUE...
    folder=$1
    shift
    options="-c listen_addresses= -c unix_socket_directories=$folder -c max_connections=200"
    for setting in "$@"; do options="$options -c $setting"; done
    [ -d "$folder/data" ] || make_cluster "$folder"
    as_server "$bin/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -w -t 60 -o "$options" start \
        >/dev/null 2>&1 </dev/null || {
        cat "$folder/data/server.log" >&2
        exit 1
    }
    echo "postgresql://postgres@/postgres?host=$folder"
}

end() { # FOLDER MODE
    as_server "$bin/pg_ctl" -D "$1/data" -m "$2" -w -t 30 stop >/dev/null 2>&1 || true
}

command=$1
shift
case $command in
start) start "$@" ;;
standby)
    mkdir -p "$1"
    chmod 755 "$1"
    if [ "$(id -u)" -eq 0 ]; then chown postgres "$1"; fi
    as_server "$bin/pg_basebackup" -h "$2" -U postgres -D "$1/data" -R -c fast --no-sync >&2
    start "$1"
    ;;
promote) as_server "$bin/pg_ctl" -D "$1/data" -w -t 60 promote >/dev/null ;;
watch)
    tail --pid="$2" -f /dev/null
    end "$1" immediate
    rm -rf "$1"
    ;;
stop) end "$1" fast ;;
kill) end "$1" immediate ;;
run)
    lab=$(mktemp -d /tmp/lab-postgres-XXXXXX)
    trap 'end "$lab" immediate; rm -rf "$lab"' EXIT
    trap 'exit 130' HUP INT TERM
    TEST_POSTGRES=$(start "$lab")
    export TEST_POSTGRES
    status=0
    "$@" || status=$?
    exit "$status"
    ;;
*)
    echo "tests/lab/postgres.sh: unknown command: $command" >&2
    exit 2
    ;;
esac
