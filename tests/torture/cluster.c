// A node has an address of its own, of those of loopback, so that nobody's connection takes its
// port while it is away.
#include "tests/torture/cluster.h"

#include "common/client.h"
#include "common/clock.h"
#include "common/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_S = 60, END_S = 60, SETTLE_MS = 90000, TURN_US = 50000, AGAIN_MS = 300, LINE = 512 };

// --- a node's end

static void last_line_of(const char *path, char line[LINE]) {
    struct buf text = {0};
    struct error ignored;
    *line = '\0';
    if (file_read(path, &text, &ignored) == 0 && text.len > 0) {
        if (text.data[text.len - 1] == '\n') text.data[text.len - 1] = '\0';
        const char *last = strrchr(text.data, '\n');
        snprintf(line, LINE, "%s", last == NULL ? text.data : last + 1);
    }
    buf_deinit(&text);
}

// One that the others took for dead ends itself, and one that finds no database does not start.
static int judge_failed(const struct node *n, unsigned which, int code, struct error *err) {
    char line[LINE];
    last_line_of(n->said, line);
    const bool is_known = code == 1 && strncmp(line, "orchestrator: ", 14) == 0 &&
                          (strstr(line, "dead") != NULL || strstr(line, "postgresql://") != NULL);
    return is_known ? 0 : error_set(err, "node %u ended with exit code %d: %s", which, code, line);
}

// The timer of its lease kills one that stands still, and one that has lost it and is not soon
// enough to let go, on a busy machine. One that does not look after its signals yet is ended by
// them.
static int judge_signal(const struct node *n, unsigned which, int signum, struct error *err) {
    const bool may_be = (signum == SIGKILL && (n->is_killed || n->may_lapse)) ||
                        (signum == SIGTERM && n->is_ending);
    return may_be ? 0 : error_set(err, "node %u was ended by signal %d", which, signum);
}

static int judge_end(struct cluster *c, unsigned which, int status, struct error *err) {
    const struct node *n = &c->nodes[which];
    if (WIFSIGNALED(status)) return judge_signal(n, which, WTERMSIG(status), err);
    if (WEXITSTATUS(status) != 0) return judge_failed(n, which, WEXITSTATUS(status), err);
    if (!n->is_ending) return error_set(err, "node %u ended, and nobody had told it to", which);
    c->left++;
    return 0;
}

// --- programs

static int start_simulator(struct cluster *c, struct error *err) {
    char path[512], said[CLUSTER_PATH], network[CLUSTER_PATH];
    process_beside("simulator", path);
    snprintf(said, sizeof said, "%s/simulator.said", c->dir);
    snprintf(network, sizeof network, "%s/network.json", c->dir);
    const char *const argv[] = {
        path,          "--network", network,       "--devices",
        "127.0.0.1:0", "--admin",   "127.0.0.1:0", c->policy == NULL ? NULL : "--policy",
        c->policy,     NULL};
    return daemon_start(&c->simulator,
                        &(struct daemon_command){.name = "simulator",
                                                 .process = {.argv = argv, .stderr_path = said},
                                                 .patience_s = READY_S},
                        err);
}

static int start_node(struct cluster *c, unsigned which, struct error *err) {
    struct node *n = &c->nodes[which];
    char path[512], inventory[128];
    process_beside("orchestrator", path);
    snprintf(inventory, sizeof inventory, "%s/inventory/", c->simulator.url);
    const char *const argv[] = {path,
                                "--listen",
                                n->url + strlen("http://"),
                                "--inventory",
                                inventory,
                                "--log",
                                n->log,
                                "--log-level",
                                "debug",
                                "--state",
                                n->state,
                                "--connect-timeout",
                                "1s",
                                "--call-timeout",
                                "1s",
                                "--install-timeout",
                                "5s",
                                "--workers",
                                "20",
                                c->policy == NULL ? NULL : "--policy",
                                c->policy,
                                NULL};
    n->is_killed = n->is_ending = n->may_lapse = false;
    n->starts_ms = n->wakes_ms = 0;
    n->away_ms = AGAIN_MS;
    return process_start(&n->process,
                         &(struct process_command){.argv = argv, .stderr_path = n->said}, err);
}

static void forget_process(struct node *n) {
    close(n->process.out);
    n->process = (struct process){.out = -1};
}

static void drop_node(struct node *n) {
    struct error ignored;
    if (n->process.pid > 0) process_end(&n->process, SIGKILL, END_S, NULL, &ignored);
    if (n->proxy != NULL) lab_proxy_stop(n->proxy);
    n->proxy = NULL;
}

// --- life

static void place_node(struct cluster *c, unsigned which) {
    struct node *n = &c->nodes[which];
    const unsigned pid = (unsigned)getpid();
    n->process.out = -1;
    n->proxy = lab_proxy_start(c->database, n->state);
    snprintf(n->url, sizeof n->url, "http://127.%u.%u.%u:5000", 1 + pid / 256 % 250, pid % 256,
             1 + which);
    snprintf(n->log, sizeof n->log, "%s/node%u.log", c->dir, which);
    snprintf(n->said, sizeof n->said, "%s/node%u.said", c->dir, which);
}

static void make_database(struct cluster *c, const char *name) {
    char statement[100];
    snprintf(statement, sizeof statement, "create database %s", name);
    lab_ask(c->server->uri, statement);
    snprintf(c->database, sizeof c->database, "postgresql://postgres@/%s?host=%s", name,
             c->server->folder);
}

int cluster_start(struct cluster *c, struct lab_server *server, const char *dir, const char *name,
                  unsigned nodes, bool has_policy, struct error *err) {
    static char policy[CLUSTER_PATH];
    *c = (struct cluster){.dir = dir, .count = nodes, .server = server};
    snprintf(policy, sizeof policy, "%s/policy.json", dir);
    c->policy = has_policy ? policy : NULL;
    make_database(c, name);
    int rc = start_simulator(c, err);
    for (unsigned i = 0; i < nodes && rc == 0; i++) {
        place_node(c, i);
        rc = start_node(c, i, err);
    }
    return rc == 0 ? cluster_settle(c, err) : rc;
}

void cluster_drop(struct cluster *c) {
    struct error ignored;
    for (unsigned i = 0; i < c->count; i++)
        drop_node(&c->nodes[i]);
    if (c->simulator.process.pid > 0)
        process_end(&c->simulator.process, SIGKILL, END_S, NULL, &ignored);
}

// --- what is due

static bool is_due(uint64_t *at_ms, uint64_t now_ms) {
    if (*at_ms == 0 || now_ms < *at_ms) return false;
    *at_ms = 0;
    return true;
}

static int tend_node(struct cluster *c, unsigned which, uint64_t now_ms, struct error *err) {
    struct node *n = &c->nodes[which];
    int status;
    if (is_due(&n->heals_ms, now_ms)) lab_proxy_set(n->proxy, LAB_PASS);
    if (is_due(&n->starts_ms, now_ms)) return start_node(c, which, err);
    if (n->process.pid == 0) return 0;
    if (waitpid(n->process.pid, &status, WNOHANG) == n->process.pid) {
        forget_process(n);
        n->starts_ms = now_ms + n->away_ms;
        return judge_end(c, which, status, err);
    }
    return is_due(&n->wakes_ms, now_ms) ? process_signal(&n->process, SIGCONT, err) : 0;
}

int cluster_tend(struct cluster *c, struct error *err) {
    const uint64_t now_ms = clock_boot_ms();
    int rc = 0;
    if (is_due(&c->database_starts_ms, now_ms)) lab_server_start(c->server, "");
    for (unsigned i = 0; i < c->count && rc == 0; i++)
        rc = tend_node(c, i, now_ms, err);
    return rc;
}

bool cluster_has_database(const struct cluster *c) {
    return c->database_starts_ms == 0;
}

// --- what is done to them

static void send(struct node *n, int signum) {
    struct error ignored; // it may have ended meanwhile
    if (n->process.pid > 0) process_signal(&n->process, signum, &ignored);
}

void cluster_kill(struct cluster *c, unsigned node, uint64_t away_ms) {
    struct node *n = &c->nodes[node];
    if (n->process.pid == 0) return;
    c->kills++;
    n->is_killed = true;
    n->away_ms = away_ms;
    send(n, SIGKILL);
}

void cluster_terminate(struct cluster *c, unsigned node) {
    struct node *n = &c->nodes[node];
    if (n->process.pid == 0 || n->is_ending) return; // a second one would end it in the midst
    n->is_ending = true;
    send(n, SIGTERM);
}

void cluster_stand_still(struct cluster *c, unsigned node, uint64_t for_ms) {
    struct node *n = &c->nodes[node];
    if (n->process.pid == 0) return;
    c->stops++;
    n->may_lapse = true;
    n->wakes_ms = clock_boot_ms() + for_ms;
    send(n, SIGSTOP);
}

void cluster_cut(struct cluster *c, unsigned node, enum lab_proxy_mode mode, unsigned delay_ms,
                 uint64_t for_ms) {
    struct node *n = &c->nodes[node];
    c->cuts++;
    n->may_lapse = true;
    n->heals_ms = clock_boot_ms() + for_ms;
    if (mode == LAB_DELAY)
        lab_proxy_delay(n->proxy, delay_ms);
    else
        lab_proxy_set(n->proxy, mode);
}

void cluster_end_sessions(struct cluster *c, bool all) {
    if (!cluster_has_database(c)) return;
    lab_ask(c->database,
            all ? "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = "
                  "current_database() and pid <> pg_backend_pid()"
                : "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = "
                  "current_database() and pid <> pg_backend_pid() and pid % 2 = 0");
}

void cluster_stop_database(struct cluster *c, uint64_t for_ms) {
    if (!cluster_has_database(c)) return;
    lab_server_stop(c->server, "kill");
    for (unsigned i = 0; i < c->count; i++)
        c->nodes[i].may_lapse = true;
    c->database_starts_ms = clock_boot_ms() + for_ms;
}

// --- all is well again

static bool is_ready(const struct node *n, struct error *err) {
    char url[100];
    snprintf(url, sizeof url, "%s/readyz", n->url);
    const struct client_request request = {.method = "GET", .url = url, .timeout_s = 5};
    return client_expect(&request, 200, NULL, err) == 0;
}

// Who was killed is declared dead by the others, 10 s later: not after they have ended themselves.
static bool are_the_dead_known(const struct cluster *c, struct error *err) {
    const unsigned long alive = strtoul(
        lab_ask(c->database, "select count(*) from orchestrator.nodes where not dead"), NULL, 10);
    if (alive == c->count) return true;
    error_set(err, "%lu nodes look alive, of %u", alive, c->count);
    return false;
}

static bool is_settled(const struct cluster *c, struct error *err) {
    if (!cluster_has_database(c)) return false;
    for (unsigned i = 0; i < c->count; i++) {
        const struct node *n = &c->nodes[i];
        if (n->process.pid == 0 || n->is_ending || n->is_killed || n->wakes_ms != 0 ||
            n->heals_ms != 0) {
            error_set(err, "node %u is not through with what was done to it", i);
            return false;
        }
        if (!is_ready(n, err)) return false;
    }
    return are_the_dead_known(c, err);
}

int cluster_settle(struct cluster *c, struct error *err) {
    const uint64_t until_ms = clock_boot_ms() + SETTLE_MS;
    struct error why;
    error_set(&why, "the database is not there");
    for (;;) {
        int rc = cluster_tend(c, err);
        if (rc != 0 || is_settled(c, &why)) return rc;
        if (clock_boot_ms() >= until_ms) return error_set(err, "not all is well: %s", why.text);
        usleep(TURN_US);
    }
}

// --- the end

// Sessions end a moment after who had them.
static int await_none(const struct cluster *c, const char *what, const char *statement,
                      struct error *err) {
    const uint64_t until_ms = clock_boot_ms() + 5000;
    const char *count;
    while (strcmp(count = lab_ask(c->database, statement), "0") != 0) {
        if (clock_boot_ms() >= until_ms)
            return error_set(err, "all nodes have ended, and left %s %s", count, what);
        usleep(TURN_US);
    }
    return 0;
}

static int check_left(const struct cluster *c, struct error *err) {
    int rc = await_none(c, "sessions",
                        "select count(*) from pg_stat_activity where datname = current_database() "
                        "and pid <> pg_backend_pid()",
                        err);
    if (rc == 0)
        rc = await_none(c, "nodes that look alive",
                        "select count(*) from orchestrator.nodes where not dead", err);
    if (rc == 0)
        rc = await_none(c, "shards that are somebody's",
                        "select count(*) from orchestrator.shards where node is not null", err);
    return rc;
}

int cluster_end(struct cluster *c, struct error *err) {
    struct process_end end;
    int rc = 0;
    for (unsigned i = 0; i < c->count; i++)
        cluster_terminate(c, i);
    for (unsigned i = 0; i < c->count && rc == 0; i++) {
        rc = process_end(&c->nodes[i].process, 0, END_S, &end, err);
        if (rc == 0) rc = judge_end(c, i, end.status, err);
        if (rc == 0 && end.status != 0) rc = error_set(err, "node %u did not end with 0", i);
    }
    if (rc == 0) rc = check_left(c, err);
    return rc == 0 ? daemon_end(&c->simulator, SIGTERM, 0, END_S, err) : rc;
}
