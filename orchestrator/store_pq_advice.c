// Of a connection that could not be made libpq tells no SQLSTATE apart: it stands in the message
// where that is verbose. No message of libpq's holds a password.
#include "orchestrator/store_pq_advice.h"

#include "common/count.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Whose SQLSTATE begins so, or whose message has these words where it has none.
static const struct {
    const char *state, *words, *advice;
} advices[] = {
    {"28P01", NULL,
     "give the right password in PGPASSWORD, in ~/.pgpass or with PGPASSFILE, or name another "
     "role"},
    {"28", NULL, "name another role, or let it in by the server's pg_hba.conf"},
    {"3D000", NULL, "make it (createdb), or name another database"},
    {"42501", NULL,
     "give the role its rights: create schema orchestrator authorization ROLE "
     "(spec/postgresql.md)"},
    {"53300", NULL, "raise the server's max_connections; two are needed"},
    {"53", NULL, "make room on the server"},
    {"57P03", NULL, "wait until the server is up"},
    {"25006", NULL, "name the primary server: this one only reads"},
    {"55P03", NULL, "something else holds a lock: look at pg_locks"},
    {NULL, "no password supplied", "give one in PGPASSWORD, in ~/.pgpass or with PGPASSFILE"},
    {NULL, "read-only", "name the primary server: this one only reads"},
    {NULL, "ertificate",
     "look at sslmode and sslrootcert in the URI, and at the server's certificate"},
    {NULL, "SSL", "look at sslmode in the URI, and whether the server has ssl = on"},
    {NULL, "could not translate host name", "give the right host, or see to its name"},
    {NULL, "onnection refused", "start the server, or give the right host and port"},
    {NULL, "No such file or directory", "start the server, or give the right host and port"},
};

static const char *advice_for(const char *state, const char *text) {
    for (size_t i = 0; i < COUNT(advices); i++) {
        const char *begin = advices[i].state;
        if (begin != NULL && strncmp(state, begin, strlen(begin)) == 0) return advices[i].advice;
        if (begin == NULL && state[0] == '\0' && strstr(text, advices[i].words) != NULL)
            return advices[i].advice;
    }
    return NULL;
}

static int explain(const char *state, const char *text, struct error *err) {
    char line[300];
    snprintf(line, sizeof line, "%s", text);
    line[strcspn(line, "\n")] = '\0';
    text_line(line);
    const char *advice = advice_for(state, line);
    error_set(err, "%s", line);
    if (advice != NULL) error_advise(err, "%s", advice);
    return ERROR_INPUT;
}

// "connection to server at "h" (a), port 5432 failed: FATAL:  28P01: password ...": the place
// stays, the SQLSTATE goes. Of several hosts that were tried the last line with one counts.
int pq_explain_connecting(const PGconn *conn, struct error *err) {
    char text[600], state[6] = "";
    snprintf(text, sizeof text, "%s", PQerrorMessage(conn));
    char *mark = NULL;
    for (char *at = text; (at = strstr(at, ":  ")) != NULL; at += 3)
        if (strcspn(at + 3, ": \n") == 5 && at[8] == ':') mark = at;
    if (mark == NULL) return explain("", text, err);
    memcpy(state, mark + 3, 5);
    char *line = mark;
    while (line > text && line[-1] != '\n')
        line--;
    memmove(mark + 2, mark + 10, strlen(mark + 10) + 1);
    return explain(state, line, err);
}

int pq_explain(const PGconn *conn, const PGresult *result, char state[6], struct error *err) {
    const char *code = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    snprintf(state, 6, "%s", code == NULL ? "" : code);
    if (text == NULL) text = PQerrorMessage(conn);
    return explain(state, text[0] == '\0' ? "the connection is over" : text, err);
}
