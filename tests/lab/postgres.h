// A PostgreSQL server for tests: the one of TEST_POSTGRES (tests/lab/postgres.sh run), or one of
// its own, which ends with the process.
#pragma once

enum { LAB_URI_MAX = 300 };

// A database that nobody has used, on that server.
void lab_database(char uri[LAB_URI_MAX]);

// A server that nobody else uses, to be stopped and changed at will; it ends with the process.
// settings: "name=value name=value". It may be started again after it was stopped.
struct lab_server {
    char folder[40], uri[LAB_URI_MAX];
};

void lab_server_start(struct lab_server *server, const char *settings);
// One that follows another server, and is brought to follow it no more.
void lab_server_follow(struct lab_server *standby, const struct lab_server *of);
void lab_server_promote(const struct lab_server *standby);
void lab_server_stop(const struct lab_server *server, const char *how); // stop or kill

// Runs a statement as whoever the URI names. The first value of its first row, "" where there is
// none, lives until the next call.
const char *lab_ask(const char *uri, const char *statement);
