// usage: rude [SEED]: upgrades all of the ACME network, and beside it one device of each kind that
// does not behave (device_kinds.c), while clients that do not behave (client_kinds.c) come and go
// at both programs. The job must notice nothing (verdict.h), a polite client must be answered all
// the time, and when all is over no descriptor may be left behind.
//
//     programs -> the crowd -> each kind of client was there -> the job, and the polite client
//       -> the clients leave -> the verdict -> the devices leave -> SIGTERM
//
// SEED (the time) says in which order devices and clients come, and how long clients stay. What
// meets what in the end depends on the machine as well; what must come of it does not.
#include "common/client.h"
#include "common/clock.h"
#include "common/count.h"
#include "common/daemon.h"
#include "common/file.h"
#include "common/folder.h"
#include "common/json.h"
#include "common/program.h"
#include "common/rng.h"
#include "simulator/device_ca.h"
#include "tests/rude/client_kinds.h"
#include "tests/rude/crowd.h"
#include "tests/rude/device.h"
#include "tests/rude/polite.h"
#include "tests/rude/verdict.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// All of them end what hangs, but PAUSE_MS, after which the polite client asks again.
enum { READY_S = 60, JOB_S = 300, QUIET_S = 60, END_S = 60, PAUSE_MS = 100 };
enum { FOLDER_MAX = 64, FILE_MAX = 128, ARGS_MAX = 40 };

struct watched { // a program
    struct daemon daemon;
    double descriptors; // that it had before anybody else came
};

struct play {
    uint64_t seed;
    char dir[FOLDER_MAX];
    struct watched simulator, orchestrator;
    struct process crowd;
    char job[POLITE_ID_MAX];
    size_t good;   // hosts that behave
    char came[64]; // how many clients
};

static const char *file_of(const struct play *p, const char *name, char path[FILE_MAX]) {
    snprintf(path, FILE_MAX, "%s/%s", p->dir, name);
    return path;
}

// --- the programs

static int start_program(const struct play *p, const char *name, const char *const *args,
                         struct watched *w, struct error *err) {
    char path[512], file[32], stderr_path[FILE_MAX];
    const char *argv[ARGS_MAX] = {path};
    process_beside(name, path);
    snprintf(file, sizeof file, "%s.stderr", name);
    for (size_t i = 0; args[i] != NULL; i++)
        argv[i + 1] = args[i];
    const struct daemon_command command = {
        .name = name,
        .process = {.argv = argv, .stderr_path = file_of(p, file, stderr_path)},
        .patience_s = READY_S};
    return daemon_start(&w->daemon, &command, err);
}

static int start_simulator(struct play *p, struct error *err) {
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)p->seed % INT64_MAX);
    const char *const args[] = {"--devices", "127.0.0.1:0", "--admin",   "127.0.0.1:0", "--seed",
                                seed,        "--latency",   "100ms..1s", NULL};
    return start_program(p, "simulator", args, &p->simulator, err);
}

// As long as only those are there that behave.
static int write_good_inventory(struct play *p, struct error *err) {
    char path[FILE_MAX];
    struct buf text = {0};
    cJSON *good = NULL;
    const cJSON *site;
    int rc = client_get_json(p->simulator.daemon.url, NULL, "/inventory/", &good, err);
    cJSON_ArrayForEach(site, good) p->good += (size_t)cJSON_GetArraySize(site);
    if (rc == 0) {
        char *json = cJSON_Print(good);
        buf_adds(&text, json);
        cJSON_free(json);
        rc = file_write(file_of(p, "inventory.json", path), &text, err);
    }
    buf_deinit(&text);
    cJSON_Delete(good);
    return rc;
}

static int write_ca(const char *path, struct error *err) {
    struct device_ca *ca = NULL;
    int rc = device_ca_new(&ca, err);
    if (rc == 0) rc = file_write(path, device_ca_certificate(ca), err);
    device_ca_free(ca);
    return rc;
}

// All groups and all rude devices at the same time, and short limits: they are to be reached.
static int start_orchestrator(struct play *p, struct error *err) {
    char inventory[FILE_MAX], store[FILE_MAX], log[FILE_MAX], ca[FILE_MAX];
    const char *const args[] = {"--listen",
                                "127.0.0.1:0",
                                "--inventory",
                                file_of(p, "inventory.json", inventory),
                                "--state",
                                file_of(p, "store", store),
                                "--log",
                                file_of(p, "log", log),
                                "--device-ca",
                                file_of(p, "ca.pem", ca),
                                "--workers",
                                "600",
                                "--connect-timeout",
                                DEVICE_CONNECT_TIMEOUT,
                                "--call-timeout",
                                DEVICE_CALL_TIMEOUT,
                                "--install-timeout",
                                DEVICE_INSTALL_TIMEOUT,
                                "--limit",
                                ("event-backlog=" CLIENT_BACKLOG),
                                "--limit",
                                "head-time=3s",
                                "--limit",
                                "body-time=3s",
                                "--limit",
                                "idle=3s",
                                NULL};
    int rc = write_ca(ca, err);
    return rc == 0 ? start_program(p, "orchestrator", args, &p->orchestrator, err) : rc;
}

// Waits until there is something to do again; 0 unless one of them has ended meanwhile.
static int rest(const struct play *p, struct error *err) {
    const struct daemon *all[] = {&p->simulator.daemon, &p->orchestrator.daemon};
    struct pollfd fds[] = {{.fd = all[0]->process.out, .events = POLLIN},
                           {.fd = all[1]->process.out, .events = POLLIN},
                           {.fd = p->crowd.out, .events = POLLIN}};
    poll(fds, 3, PAUSE_MS);
    for (int i = 0; i < 2; i++)
        if (fds[i].revents != 0) return error_set(err, "the %s has ended", all[i]->name);
    return (fds[2].revents & POLLHUP) != 0 ? error_set(err, "the crowd has ended") : 0;
}

// --- the crowd

static const char *address_of(const char *url) {
    return url + strlen("http://");
}

// "simulator: devices on 127.0.0.1:8300, ..." is the first of the addresses in its ready line.
static void devices_address(const struct daemon *simulator, char out[64]) {
    const char *at = strstr(simulator->ready, "127.0.0.1:");
    snprintf(out, 64, "%.*s", at == NULL ? 0 : (int)strspn(at, "0123456789.:"),
             at == NULL ? "" : at);
}

static int hear_crowd(struct play *p, const char *expected, char *line, size_t size,
                      struct error *err) {
    int rc = process_read_line(&p->crowd, READY_S, line, size, err);
    if (rc == 0 && strncmp(line, expected, strlen(expected)) != 0)
        rc = error_set(err, "it said: %s", line);
    if (rc == 0) return 0;
    struct error ignored;
    error_from(err, "the crowd, which is to say %s", expected);
    process_end(&p->crowd, SIGTERM, END_S, NULL, &ignored); // it says why, on its way
    return rc;
}

static int start_crowd(struct play *p, struct error *err) {
    char path[512], seed[32], devices[64], said[64];
    process_beside("rude", path);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)p->seed);
    devices_address(&p->simulator.daemon, devices);
    const char *const argv[] = {path,
                                "crowd",
                                seed,
                                p->dir,
                                address_of(p->orchestrator.daemon.url),
                                address_of(p->simulator.daemon.url),
                                devices,
                                NULL};
    int rc = process_start(&p->crowd, &(struct process_command){.argv = argv}, err);
    return rc == 0 ? hear_crowd(p, "devices", said, sizeof said, err) : rc;
}

static void move_sites(cJSON *from, cJSON *to) {
    while (from->child != NULL) {
        cJSON *site = cJSON_DetachItemViaPointer(from, from->child);
        cJSON_AddItemToObject(to, site->string, site);
    }
}

// The good and the rude ones; which come first is drawn.
static void write_merged(const struct play *p, cJSON *good, cJSON *rude, struct buf *out) {
    cJSON *all = cJSON_CreateObject();
    const bool are_first = rng_mix(p->seed, 0) % 2 == 0;
    if (!are_first) move_sites(good, all);
    cJSON_AddItemToObject(all, DEVICE_SITE, rude);
    if (are_first) move_sites(good, all);
    char *text = cJSON_Print(all);
    buf_adds(out, text);
    cJSON_free(text);
    cJSON_Delete(all);
}

static int make_inventory(const struct play *p, struct error *err) {
    char path[FILE_MAX];
    struct buf text = {0}, merged = {0};
    cJSON *good = NULL, *rude = NULL;
    int rc = client_get_json(p->simulator.daemon.url, NULL, "/inventory/", &good, err);
    if (rc == 0) rc = file_read(file_of(p, "rude.json", path), &text, err);
    if (rc == 0) rc = json_parse(text.data, text.len, &rude, err);
    if (rc == 0) {
        write_merged(p, good, rude, &merged);
        rc = file_write(file_of(p, "inventory.json", path), &merged, err);
    }
    cJSON_Delete(good);
    buf_deinit(&text);
    buf_deinit(&merged);
    return rc;
}

static int send_clients_away(struct play *p, struct error *err) {
    int rc = process_signal(&p->crowd, SIGHUP, err);
    return rc == 0 ? hear_crowd(p, "left ", p->came, sizeof p->came, err) : rc;
}

// --- the job, and the polite client

static int await_job(const struct play *p, struct error *err) {
    const double started_s = clock_monotonic_s();
    bool is_done = false;
    int rc = 0;
    while (rc == 0 && !is_done) {
        rc = polite_ask(p->orchestrator.daemon.url, err);
        if (rc == 0) rc = polite_ask(p->simulator.daemon.url, err);
        if (rc == 0) rc = polite_look_at_job(p->orchestrator.daemon.url, p->job, &is_done, err);
        if (rc == 0 && !is_done) rc = rest(p, err);
        if (rc == 0 && !is_done && clock_monotonic_s() > started_s + JOB_S)
            rc = error_set(err, "the job is not done after %d s", JOB_S);
    }
    return rc;
}

// --- what is left behind

static int note_descriptors(const struct play *p, struct watched *w, struct error *err) {
    double before = 0;
    int rc = 0;
    do { // until it has noticed that earlier requests are over
        before = w->descriptors;
        rc = polite_count_descriptors(w->daemon.url, &w->descriptors, err);
        if (rc == 0) rc = rest(p, err);
    } while (rc == 0 && w->descriptors != before);
    return rc;
}

// libuv opens one of its own with the first connection to a device.
static int note_all_descriptors(struct play *p, struct error *err) {
    int rc = polite_look_at_host(p->orchestrator.daemon.url, "edge00.earth", err);
    if (rc == 0) rc = note_descriptors(p, &p->orchestrator, err);
    return rc == 0 ? note_descriptors(p, &p->simulator, err) : rc;
}

static int await_descriptors(const struct play *p, const struct watched *w, struct error *err) {
    const double started_s = clock_monotonic_s();
    double count;
    int rc = 0;
    for (;;) {
        rc = polite_count_descriptors(w->daemon.url, &count, err);
        if (rc != 0 || count <= w->descriptors) return rc;
        if (clock_monotonic_s() > started_s + QUIET_S)
            return error_set(err, "the %s has %.0f descriptors more than before", w->daemon.name,
                             count - w->descriptors);
        rc = rest(p, err);
        if (rc != 0) return rc;
    }
}

static int judge(const struct play *p, struct error *err) {
    char log[FILE_MAX];
    return verdict_check(&(struct verdict){.api = p->orchestrator.daemon.url,
                                           .admin = p->simulator.daemon.url,
                                           .log = file_of(p, "log", log),
                                           .job = p->job,
                                           .good = p->good},
                         err);
}

static int end_crowd(struct play *p, struct error *err) {
    struct process_end how;
    int rc = process_end(&p->crowd, SIGTERM, END_S, &how, err);
    if (rc == 0 && how.status != 0) rc = error_set(err, "it ended with status %d", how.status);
    if (rc != 0) error_from(err, "the crowd");
    return rc;
}

// The simulator's descriptors are counted behind the orchestrator's: that may be logged in yet.
static int run(struct play *p, struct error *err) {
    char said[64], path[FILE_MAX];
    int rc = start_simulator(p, err);
    if (rc == 0) rc = write_good_inventory(p, err);
    if (rc == 0) rc = start_orchestrator(p, err);
    if (rc == 0) rc = note_all_descriptors(p, err);
    if (rc == 0) rc = start_crowd(p, err);
    if (rc == 0) rc = make_inventory(p, err);
    if (rc == 0) rc = hear_crowd(p, "played", said, sizeof said, err);
    if (rc == 0) rc = polite_begin_job(p->orchestrator.daemon.url, DEVICE_WANTED, p->job, err);
    if (rc == 0) rc = await_job(p, err);
    if (rc == 0) rc = send_clients_away(p, err);
    if (rc == 0) rc = judge(p, err);
    if (rc == 0) rc = await_descriptors(p, &p->orchestrator, err);
    if (rc == 0) rc = await_descriptors(p, &p->simulator, err);
    if (rc == 0) rc = end_crowd(p, err);
    if (rc == 0) rc = daemon_end(&p->orchestrator.daemon, SIGTERM, 0, END_S, err);
    if (rc == 0) rc = daemon_end(&p->simulator.daemon, SIGTERM, 0, END_S, err);
    if (rc == 0) rc = verdict_check_stderr(file_of(p, "orchestrator.stderr", path), err);
    if (rc == 0) rc = verdict_check_stderr(file_of(p, "simulator.stderr", path), err);
    return rc;
}

// --- life

// A program that has ended says more than that it does not answer.
static void tell_stderr(const struct play *p) {
    static const char *const files[] = {"orchestrator.stderr", "simulator.stderr"};
    char path[FILE_MAX];
    struct error err;
    for (size_t i = 0; i < COUNT(files); i++)
        if (verdict_check_stderr(file_of(p, files[i], path), &err) > 0)
            printf("rude: %s\n", err.text);
}

static int play(struct play *p) {
    struct error err;
    int rc = folder_make(p->dir, sizeof p->dir, "rude", &err);
    printf("rude: seed %llu\n", (unsigned long long)p->seed);
    fflush(stdout);
    if (rc == 0) rc = run(p, &err);
    if (rc != 0) {
        printf("rude: %s\n", err.text);
        tell_stderr(p);
        printf("what there is of it lies in %s; seed %llu\n", p->dir, (unsigned long long)p->seed);
        return EXIT_FAILURE;
    }
    folder_remove(p->dir);
    printf("rude: %zu kinds of device, %zu kinds of client (%s), %zu hosts: the job noticed "
           "nothing\n",
           device_kinds_count, client_kinds_count, p->came + strlen("left "), p->good);
    return EXIT_SUCCESS;
}

static bool parse_seed(const char *text, uint64_t *seed) {
    char *end;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0';
}

int main(int argc, char **argv) {
    struct play p = {.seed = (uint64_t)time(NULL), .crowd.out = -1};
    program_init();
    if (argc > 1 && strcmp(argv[1], "crowd") == 0) return crowd_main(argc - 2, argv + 2);
    if (argc > 2 || (argc == 2 && !parse_seed(argv[1], &p.seed))) {
        fprintf(stderr, "usage: rude [SEED]\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const int exit_code = play(&p);
    curl_global_cleanup();
    return program_end("rude", exit_code);
}
