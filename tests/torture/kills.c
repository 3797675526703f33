// usage: kills KILLS [SEED]: upgrades all of the ACME network over and over, a version after the
// other, and kills the orchestrator so many times while it does, at moments drawn from SEED.
//
// A client posts the job under an Idempotency-Key and asks again, with the same request, each time
// that its answer did not come. That is all it needs: it is told of the same job, however often the
// orchestrator was killed since, at last that the job is over. Then what the orchestrator says of
// the job must be true (truth.h).
//
//      start -> post, respond-async -> post, and wait -> the report: the job is over
//        ^                |                   |
//        +----------------+----- killed ------+
//
// The moments are some milliseconds to some seconds after a start, each order of magnitude as often
// as another: so the orchestrator is killed while it starts, reads what it left, asks the hosts in
// doubt, upgrades others, and at times has the quiet to give one in doubt up. What is done between
// two kills depends on the machine as well: a seed replays the moments.
#include "common/client.h"
#include "common/clock.h"
#include "common/daemon.h"
#include "common/folder.h"
#include "common/program.h"
#include "common/rng.h"
#include "tests/torture/truth.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READY_S = 60, END_S = 60, FIRST_MS = 2, DOUBLINGS = 11, ID_MAX = 64 };

// Real ones are twenty times as long; an install takes 100 ms at most, and its timeout is as many
// times that as is usual.
static const char time_scale[] = "0.05", install_timeout[] = "2s";

struct torture {
    uint64_t seed;
    unsigned kills, wanted;
    char dir[64], store[80], log[80];
    struct daemon simulator, orchestrator;
    char listen[64];     // its address, from its first start on
    uint64_t killing_ms; // when it is to be killed, by clock_boot_ms(); UINT64_MAX: not any more
    char key[64], body[64], version[32], id[ID_MAX]; // of the job; id "": not told yet
    unsigned job;
    struct truth sum;
};

// --- the programs

static int start_program(struct torture *t, const char *name, const char *const *args,
                         struct daemon *d, struct error *err) {
    char path[512], stderr_path[128];
    const char *argv[24] = {path};
    snprintf(stderr_path, sizeof stderr_path, "%s/%s.stderr", t->dir, name);
    unlink(stderr_path); // what it says now is what an error is to quote
    process_beside(name, path);
    for (size_t i = 0; args[i] != NULL; i++)
        argv[i + 1] = args[i];
    return daemon_start(
        d,
        &(struct daemon_command){.name = name,
                                 .process = {.argv = argv, .stderr_path = stderr_path},
                                 .patience_s = READY_S},
        err);
}

static int start_simulator(struct torture *t, struct error *err) {
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)t->seed);
    const char *const args[] = {"--devices", "127.0.0.1:0",  "--admin",  "127.0.0.1:0", "--seed",
                                seed,        "--time-scale", time_scale, NULL};
    return start_program(t, "simulator", args, &t->simulator, err);
}

static uint64_t draw_moment(const struct torture *t) {
    const uint64_t draw = rng_mix(t->seed, t->kills);
    const uint64_t ms = (uint64_t)FIRST_MS << rng_range(draw, 0, DOUBLINGS - 1);
    return clock_boot_ms() + rng_range(rng_mix(draw, 1), ms, 2 * ms);
}

static int start_listening(struct torture *t, const char *listen, struct error *err) {
    char inventory[128];
    snprintf(inventory, sizeof inventory, "%s/inventory/", t->simulator.url);
    const char *const args[] = {
        "--listen", listen, "--inventory", inventory, "--state",           t->store,
        "--log",    t->log, "--log-level", "debug",   "--install-timeout", install_timeout,
        NULL};
    return start_program(t, "orchestrator", args, &t->orchestrator, err);
}

// On the port that it had, unless a connection of somebody else's has taken it meanwhile.
static int start_orchestrator(struct torture *t, struct error *err) {
    t->killing_ms = t->kills < t->wanted ? draw_moment(t) : UINT64_MAX;
    int rc = start_listening(t, t->listen, err);
    if (rc != 0 && strstr(err->text, strerror(EADDRINUSE)) != NULL)
        rc = start_listening(t, "127.0.0.1:0", err);
    if (rc == 0)
        snprintf(t->listen, sizeof t->listen, "%s", t->orchestrator.url + strlen("http://"));
    return rc;
}

static int kill_it(struct torture *t, struct error *err) {
    t->kills++;
    return process_end(&t->orchestrator.process, SIGKILL, END_S, NULL, err);
}

// --- the client

enum asked { ANSWERED, KILLED }; // the moment has come before the answer has

// Whether there is something to read before the orchestrator is to be killed.
static bool await(const struct torture *t, int connection) {
    for (;;) {
        const uint64_t now_ms = clock_boot_ms();
        struct pollfd readable = {.fd = connection, .events = POLLIN};
        if (now_ms >= t->killing_ms) return false;
        const int wait_ms = t->killing_ms == UINT64_MAX ? -1 : (int)(t->killing_ms - now_ms);
        const int ready = poll(&readable, 1, wait_ms);
        if (ready == 1) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

// An answer's head; the rest is of no interest.
static int read_head(const struct torture *t, int connection, char *head, size_t size,
                     enum asked *asked, struct error *err) {
    size_t len = 0;
    *head = '\0';
    while (strstr(head, "\r\n\r\n") == NULL) {
        *asked = KILLED;
        if (!await(t, connection)) return 0;
        *asked = ANSWERED;
        ssize_t n = read(connection, head + len, size - 1 - len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return error_set(err, "the connection was ended without an answer");
        len += (size_t)n;
        head[len] = '\0';
    }
    return 0;
}

static int take_id(struct torture *t, const char *head, struct error *err) {
    char location[128] = "", id[ID_MAX] = "";
    const struct reply reply = {.headers = (char *)(uintptr_t)head};
    reply_header(&reply, "Location", location, sizeof location);
    if (sscanf(location, "/jobs/%63[^/]/", id) != 1)
        return error_set(err, "no Location of a job: %.300s", head);
    if (*t->id == '\0') snprintf(t->id, sizeof t->id, "%s", id);
    if (strcmp(t->id, id) == 0) return 0;
    return error_set(err, "%s was job %s, and is job %s now", t->key, t->id, id);
}

static int take_answer(struct torture *t, const char *head, int expected, struct error *err) {
    int status = 0;
    if (sscanf(head, "HTTP/1.1 %d", &status) != 1 || status != expected)
        return error_set(err, "expected %d, answered: %.300s", expected, head);
    return take_id(t, head, err);
}

// Posts the job, or (wait) posts it again, to be told when it is over.
static int ask(struct torture *t, bool wait, enum asked *asked, struct error *err) {
    char url[128], head[4096];
    int connection;
    cJSON *headers = cJSON_CreateObject();
    cJSON_AddStringToObject(headers, "Idempotency-Key", t->key);
    if (!wait) cJSON_AddStringToObject(headers, "Prefer", "respond-async");
    snprintf(url, sizeof url, "%s/upgrade-os/", t->orchestrator.url);
    const struct client_request request = {.method = "POST",
                                           .url = url,
                                           .headers = headers,
                                           .body = t->body,
                                           .body_len = strlen(t->body),
                                           .is_json = true};
    int rc = client_begin(&request, &connection, err);
    cJSON_Delete(headers);
    if (rc != 0) return rc;
    rc = read_head(t, connection, head, sizeof head, asked, err);
    close(connection);
    if (rc == 0 && *asked == ANSWERED) rc = take_answer(t, head, wait ? 200 : 202, err);
    return rc;
}

// One life of the orchestrator, or what is left of it.
static int live(struct torture *t, bool *is_over, struct error *err) {
    enum asked asked = ANSWERED;
    int rc = t->orchestrator.process.pid > 0 ? 0 : start_orchestrator(t, err);
    if (rc == 0) rc = ask(t, false, &asked, err);
    if (rc == 0 && asked == ANSWERED) rc = ask(t, true, &asked, err);
    *is_over = rc == 0 && asked == ANSWERED;
    return rc == 0 && asked == KILLED ? kill_it(t, err) : rc;
}

// --- jobs

static int check_job(struct torture *t, unsigned kills, struct error *err) {
    struct truth truth;
    int rc = truth_check(t->orchestrator.url, t->simulator.url, t->id, t->version, &truth, err);
    if (rc != 0) return rc;
    t->sum.hosts += truth.hosts;
    t->sum.failed += truth.failed;
    t->sum.skipped += truth.skipped;
    printf("%s to %s: %u kills, %zu changed, %zu unchanged, %zu failed, %zu skipped\n", t->key,
           t->version, kills, truth.changed, truth.unchanged, truth.failed, truth.skipped);
    fputs(truth.why.len > 0 ? truth.why.data : "", stdout);
    fflush(stdout);
    buf_deinit(&truth.why);
    return 0;
}

static int run_job(struct torture *t, struct error *err) {
    const unsigned kills_before = t->kills;
    bool is_over = false;
    int rc = 0;
    t->job++;
    t->id[0] = '\0';
    snprintf(t->version, sizeof t->version, "6.0.%u", t->job);
    snprintf(t->key, sizeof t->key, "job-%u", t->job);
    snprintf(t->body, sizeof t->body, "{\"version\": \"%s\"}", t->version);
    while (rc == 0 && !is_over)
        rc = live(t, &is_over, err);
    if (rc == 0) rc = check_job(t, t->kills - kills_before, err);
    if (rc != 0)
        error_from(err, "%s, after %u kills of %u", t->key, t->kills - kills_before, t->kills);
    return rc;
}

// All that were posted, none twice, and all are over.
static int check_jobs(const struct torture *t, struct error *err) {
    cJSON *jobs = NULL;
    const cJSON *job;
    int rc = client_get_json(t->orchestrator.url, NULL, "/jobs/?limit=1000&state=done", &jobs, err);
    if (rc != 0) return rc;
    unsigned count = 0;
    cJSON_ArrayForEach(job, cJSON_GetObjectItemCaseSensitive(jobs, "jobs")) count++;
    cJSON_Delete(jobs);
    return count == t->job ? 0 : error_set(err, "%u jobs were posted, %u are done", t->job, count);
}

static int run(struct torture *t, struct error *err) {
    int rc = start_simulator(t, err);
    do {
        if (rc == 0) rc = run_job(t, err);
    } while (rc == 0 && t->kills < t->wanted);
    if (rc == 0) rc = check_jobs(t, err);
    if (rc == 0) rc = daemon_end(&t->orchestrator, SIGTERM, 0, END_S, err);
    if (rc == 0) rc = daemon_end(&t->simulator, SIGTERM, 0, END_S, err);
    return rc;
}

// --- life

static int make_folder(struct torture *t, struct error *err) {
    int rc = folder_make(t->dir, sizeof t->dir, "kills", err);
    if (rc != 0) return rc;
    snprintf(t->store, sizeof t->store, "%s/store", t->dir);
    snprintf(t->log, sizeof t->log, "%s/log", t->dir);
    snprintf(t->listen, sizeof t->listen, "127.0.0.1:0");
    return 0;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *number) {
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *number <= max;
}

static int torture(struct torture *t) {
    struct error err;
    int rc = make_folder(t, &err);
    printf("kills: %u of them, seed %llu\n", t->wanted, (unsigned long long)t->seed);
    fflush(stdout);
    if (rc == 0) rc = run(t, &err);
    if (rc != 0) {
        printf("kills: %s\nwhat there is of it lies in %s; seed %llu\n", err.text, t->dir,
               (unsigned long long)t->seed);
        return EXIT_FAILURE;
    }
    folder_remove(t->dir);
    printf("%u jobs, %zu hosts, %u kills, nothing lost\n", t->job, t->sum.hosts, t->kills);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    uint64_t kills, seed = (uint64_t)time(NULL);
    program_init();
    if (argc < 2 || argc > 3 || !parse_number(argv[1], 1000000, &kills) ||
        (argc == 3 && !parse_number(argv[2], UINT64_MAX, &seed))) {
        fprintf(stderr, "usage: kills KILLS [SEED]\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct torture t = {.seed = seed, .wanted = (unsigned)kills};
    int exit_code = torture(&t);
    curl_global_cleanup();
    return program_end("kills", exit_code);
}
