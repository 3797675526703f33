// The server's processes are the first one and its children. What a child has used is the child's
// own while it lives, and its parent's once it has been waited for (proc(5)).
#include "bench/database.h"

#include <dirent.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char script[] = "tests/lab/postgres.sh";

// --- CPU

struct times {
    pid_t parent;
    unsigned long user, system; // in ticks
    long ended_user, ended_system;
};

// False: it is gone.
static bool read_times(const char *pid, struct times *t) {
    char path[300], text[2048];
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *fields = strrchr(text, ')'); // the name before it may hold anything
    return fields != NULL &&
           sscanf(fields, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
                  &t->parent, &t->user, &t->system, &t->ended_user, &t->ended_system) == 5;
}

static double cpu_s(pid_t server) {
    DIR *all = opendir("/proc");
    const struct dirent *entry;
    double ticks = 0;
    while (all != NULL && (entry = readdir(all)) != NULL) {
        struct times t;
        const pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || !read_times(entry->d_name, &t)) continue;
        if (pid != server && t.parent != server) continue;
        ticks += (double)(t.user + t.system) + (double)(t.ended_user + t.ended_system);
    }
    if (all != NULL) closedir(all);
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

// --- what it keeps

static int ask_number(const char *uri, const char *statement, double *number, struct error *err) {
    PGconn *conn = PQconnectdb(uri);
    PGresult *result = PQexec(conn, statement);
    int rc = 0;
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
        *number = strtod(PQgetvalue(result, 0, 0), NULL);
    else
        rc = error_set(err, "PostgreSQL: %.200s", PQerrorMessage(conn));
    PQclear(result);
    PQfinish(conn);
    return rc;
}

int database_use(const struct database *d, struct database_use *use, struct error *err) {
    use->cpu_s = cpu_s(d->pid); // before the questions here
    int rc =
        ask_number(d->uri, "select pg_current_wal_lsn() - '0/0'::pg_lsn", &use->wal_bytes, err);
    if (rc == 0)
        rc = ask_number(d->uri,
                        "select coalesce(sum(pg_total_relation_size(c.oid)), 0) from pg_class c "
                        "join pg_namespace n on n.oid = c.relnamespace "
                        "where n.nspname = 'orchestrator' and c.relkind = 'r'",
                        &use->kept_bytes, err);
    return rc;
}

// --- life

static int run(const char *command, struct error *err) {
    if (system(command) != 0) return error_set(err, "cannot run: %s", command); // NOLINT
    return 0;
}

// Not in the bench's folder of temporary files: the server may run as another user.
static int make_folder(struct database *d, struct error *err) {
    char folder[] = "/tmp/bench-postgres-XXXXXX", command[256];
    if (mkdtemp(folder) == NULL) return error_system(err, -errno, "%s", folder);
    memcpy(d->folder, folder, sizeof folder);
    snprintf(command, sizeof command, "setsid %s watch %s %ld </dev/null >/dev/null 2>&1 &", script,
             folder, (long)getpid());
    return run(command, err);
}

static int read_pid(struct database *d, struct error *err) {
    char path[128];
    long pid = 0;
    snprintf(path, sizeof path, "%s/data/postmaster.pid", d->folder);
    FILE *file = fopen(path, "re");
    if (file == NULL) return error_system(err, -errno, "%s", path);
    if (fscanf(file, "%ld", &pid) != 1) pid = 0; // NOLINT
    fclose(file);
    d->pid = (pid_t)pid;
    return pid > 0 ? 0 : error_set(err, "%s: expected a number", path);
}

static int start(struct database *d, struct error *err) {
    char command[128];
    snprintf(command, sizeof command, "%s start %s", script, d->folder);
    FILE *out = popen(command, "re"); // NOLINT
    if (out == NULL) return error_system(err, -errno, "%s", script);
    const bool has_line = fgets(d->uri, sizeof d->uri, out) != NULL;
    if (pclose(out) != 0 || !has_line) return error_set(err, "PostgreSQL did not start");
    d->uri[strcspn(d->uri, "\n")] = '\0';
    return read_pid(d, err);
}

int database_start(struct database *d, struct error *err) {
    *d = (struct database){0};
    if (access(script, X_OK) != 0)
        return error_set(err, "%s is not here: run it in a tree of the sources", script);
    int rc = make_folder(d, err);
    if (rc == 0) rc = start(d, err);
    if (rc != 0) database_stop(d);
    return rc;
}

int database_start_again(struct database *d, struct error *err) {
    char command[128];
    snprintf(command, sizeof command, "%s stop %s", script, d->folder);
    int rc = run(command, err);
    return rc == 0 ? start(d, err) : rc;
}

void database_stop(struct database *d) {
    char command[128];
    struct error ignored;
    snprintf(command, sizeof command, "%s kill %s", script, d->folder);
    if (d->folder[0] != '\0') run(command, &ignored);
    *d = (struct database){0};
}
