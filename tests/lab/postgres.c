#include "tests/lab/postgres.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what, const char *why) {
    fprintf(stderr, "tests/lab: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static void run(const char *command) {
    if (system(command) != 0) fail("cannot run", command);
}

// However this process ends: Check kills the group of a test that fails.
static void make_folder(struct lab_server *server) {
    char command[200];
    snprintf(server->folder, sizeof server->folder, "/tmp/lab-postgres-XXXXXX");
    if (mkdtemp(server->folder) == NULL) fail("mkdtemp", server->folder);
    snprintf(command, sizeof command,
             "setsid tests/lab/postgres.sh watch %s %ld </dev/null >/dev/null 2>&1 &",
             server->folder, (long)getpid());
    run(command);
}

static void start(struct lab_server *server, const char *command) {
    char line[LAB_URI_MAX] = "";
    FILE *out = popen(command, "r");
    if (out == NULL || fgets(line, sizeof line, out) == NULL || pclose(out) != 0)
        fail("the server does not start", server->folder);
    line[strcspn(line, "\n")] = '\0';
    memcpy(server->uri, line, sizeof server->uri);
}

void lab_server_start(struct lab_server *server, const char *settings) {
    char command[600];
    if (server->folder[0] == '\0') make_folder(server);
    snprintf(command, sizeof command, "tests/lab/postgres.sh start %s %s", server->folder,
             settings);
    start(server, command);
}

void lab_server_follow(struct lab_server *standby, const struct lab_server *of) {
    char command[200];
    make_folder(standby);
    snprintf(command, sizeof command, "tests/lab/postgres.sh standby %s %s", standby->folder,
             of->folder);
    start(standby, command);
}

void lab_server_promote(const struct lab_server *standby) {
    lab_server_stop(standby, "promote");
}

void lab_server_stop(const struct lab_server *server, const char *how) {
    char command[200];
    snprintf(command, sizeof command, "tests/lab/postgres.sh %s %s", how, server->folder);
    run(command);
}

static const char *server_uri(void) {
    static struct lab_server own;
    static pid_t owner;
    const char *given = getenv("TEST_POSTGRES");
    if (given != NULL) return given;
    if (owner != getpid()) {
        own = (struct lab_server){0};
        lab_server_start(&own, "");
        owner = getpid();
    }
    return own.uri;
}

// The URI is postgresql://USER@/DATABASE?host=FOLDER.
void lab_database(char uri[LAB_URI_MAX]) {
    static unsigned count;
    struct timespec now;
    char statement[120], name[80];
    const char *server = server_uri();
    const char *question = strchr(server, '?'), *at = strstr(server, "@/");
    if (question == NULL || at == NULL) fail("TEST_POSTGRES", server);
    // Under a load of many programs pids come again while the server runs.
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(name, sizeof name, "test_%ld_%u_%lld", (long)getpid(), ++count, (long long)now.tv_sec);
    snprintf(statement, sizeof statement, "create database %s", name);
    lab_ask(server, statement);
    snprintf(uri, LAB_URI_MAX, "%.*s@/%s%s", (int)(at - server), server, name, question);
}

const char *lab_ask(const char *uri, const char *statement) {
    static char value[400];
    PGconn *conn = PQconnectdb(uri);
    PGresult *result = PQexec(conn, statement);
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail(statement, PQerrorMessage(conn));
    const bool has_value = PQntuples(result) > 0 && PQnfields(result) > 0;
    snprintf(value, sizeof value, "%s", has_value ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(conn);
    return value;
}
