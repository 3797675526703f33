#!/bin/sh
# The orchestrator, but what was to be kept in a file is kept in a database of TEST_POSTGRES: one for each file, so
# whoever is started anew with the same one finds his jobs again. --state none stays what it is. Of a file one learns
# at once that its process is gone; a database would be watched for ten seconds, which is another test.
# usage: ORCHESTRATOR=PATH (absolute) TEST_POSTGRES=URI tests/lab/on_postgres.sh OPTION...
set -eu

case ${1:---} in -*) ;; *) exec "$ORCHESTRATOR" "$@" ;; esac # a command of the client
file=orchestrator.db
before=
for argument in "$@"; do
    case $argument in --help | --version) exec "$ORCHESTRATOR" "$@" ;; --state=*) file=${argument#--state=} ;; esac
    [ "$before" != --state ] || file=$argument
    before=$argument
done
[ "$file" != none ] || exec "$ORCHESTRATOR" "$@"
case $file in /*) ;; *) file=$PWD/$file ;; esac
name=file_$(printf '%s' "$file" | md5sum | cut -c 1-32)
psql -q "$TEST_POSTGRES" -c "create database $name" >/dev/null 2>&1 || true # it is there
uri=$(printf '%s' "$TEST_POSTGRES" | sed "s,@/[^?]*,@/$name,")
psql -qAt "$uri" -c "select id, place from orchestrator.nodes where not dead" 2>/dev/null |
    while IFS='|' read -r id place; do
        pid=${place#process }
        kill -0 "${pid%% *}" 2>/dev/null || psql -q "$uri" -c "select orchestrator.leave('$id')" >/dev/null
    done
exec "$ORCHESTRATOR" "$@" --state "$uri"
