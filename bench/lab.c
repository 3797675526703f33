// A measurement is a pair of programs, a request, and what both processes used meanwhile. The
// figures count only where the simulator agrees: it must have seen one install and one login for
// every host that the client reports (or more logins, where peers are asked), and the referee no
// violation. Otherwise a client that does less would win.
#include "bench/lab.h"

#include "common/client.h"
#include "common/clock.h"
#include "common/count.h"
#include "common/file.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/scrape.h"
#include "simulator/device_ca.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARGS_MAX = 40, READY_S = 60, END_S = 60, CLIENT_S = 600, ANSWER_S = 3600 };
enum { DESCRIPTORS = 20000, DESCRIPTORS_ASIDE = 2000 }; // that are to be had everywhere

// --- start and end

// What a lab's folder has.
static const char *const store_files[] = {"store", "store-wal", "store-shm"},
                         *const other_files[] = {"log", "stderr", "ca.pem"};

struct lab_path {
    char text[SCRATCH_PATH_MAX + 16];
};

static struct lab_path path_of(const struct lab *lab, const char *file) {
    struct lab_path path;
    snprintf(path.text, sizeof path.text, "%s/%s", lab->dir, file);
    return path;
}

static int start(const struct lab *lab, const char *name, const char *const *args,
                 const char *preload, struct daemon *d, struct error *err) {
    char binary[512], preloaded[512], turns[SCRATCH_PATH_MAX + 64];
    const char *argv[ARGS_MAX] = {binary}, *environment[] = {preloaded, turns, NULL};
    const struct lab_path stderr_path = path_of(lab, "stderr");
    process_beside(name, binary);
    snprintf(turns, sizeof turns, "LOOP_TURNS=%s/%s.turns", lab->dir, name);
    if (preload != NULL)
        snprintf(preloaded, sizeof preloaded, "LD_PRELOAD=%s", preload);
    else
        environment[0] = NULL;
    for (size_t i = 0; args[i] != NULL && i + 2 < ARGS_MAX; i++)
        argv[i + 1] = args[i];
    const struct daemon_command command = {
        .name = name,
        .process = {.argv = argv, .stderr_path = stderr_path.text, .environment = environment},
        .patience_s = READY_S};
    return daemon_start(d, &command, err);
}

// Adds those options that have a value.
static size_t add_options(const char **args, size_t count, const char *const (*options)[2],
                          size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (options[i][1] == NULL) continue;
        args[count++] = options[i][0];
        args[count++] = options[i][1];
    }
    return count;
}

static int start_simulator(struct lab *lab, const struct lab_config *config, struct error *err) {
    char seed[32], scale[32], addresses[32];
    const char *args[ARGS_MAX] = {"--devices", "127.0.0.1:0",  "--admin", "127.0.0.1:0", "--seed",
                                  seed,        "--time-scale", scale,     "--addresses", addresses};
    const struct lab_path ca = path_of(lab, "ca.pem");
    const char *const given[][2] = {{"--network", config->network},
                                    {"--devices-tls", config->tls ? ca.text : NULL},
                                    {"--inventory", config->inventory},
                                    {"--policy", config->policy},
                                    {"--latency", config->latency}};
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)config->seed);
    snprintf(scale, sizeof scale, "%g", config->time_scale);
    snprintf(addresses, sizeof addresses, "%u", config->addresses);
    add_options(args, 10, given, COUNT(given));
    return start(lab, "simulator", args, config->turns, &lab->simulator, err);
}

unsigned lab_asks(unsigned workers) {
    const unsigned left = DESCRIPTORS - DESCRIPTORS_ASIDE;
    if (2 * workers <= left) return workers;
    return workers < left ? left - workers : 1;
}

struct texts { // of options that have one
    char room[8][32];
    size_t count;
};

static size_t add_number(const char **args, size_t count, struct texts *texts, const char *option,
                         uint64_t number, const char *unit) {
    char *text = texts->room[texts->count++];
    snprintf(text, sizeof texts->room[0], "%llu%s", (unsigned long long)number, unit);
    args[count++] = option;
    args[count++] = text;
    return count;
}

static size_t add_peers(const char **args, size_t count, struct texts *texts,
                        const struct lab_config *config) {
    static const struct peers_config own = {.check = true};
    const struct peers_config *peers = config->peers == NULL ? &own : config->peers;
    if (!peers->check) {
        args[count++] = "--peer-check";
        args[count++] = "off";
        return count;
    }
    const unsigned asks = peers->asks == 0 ? lab_asks(config->workers) : peers->asks;
    if (asks != config->workers) count = add_number(args, count, texts, "--asks", asks, "");
    if (peers->max_age_ms != 0)
        count = add_number(args, count, texts, "--peer-max-age", peers->max_age_ms, "ms");
    if (peers->wait_ms != 0)
        count = add_number(args, count, texts, "--peer-wait", peers->wait_ms, "ms");
    return count;
}

static size_t add_timeouts(const char **args, size_t count, struct texts *texts,
                           const struct lab_config *config) {
    const struct {
        const char *option;
        uint64_t us;
    } given[] = {{"--connect-timeout", config->connect_timeout_us},
                 {"--call-timeout", config->call_timeout_us},
                 {"--install-timeout", config->install_timeout_us}};
    for (size_t i = 0; i < COUNT(given); i++)
        if (given[i].us != 0)
            count = add_number(args, count, texts, given[i].option, given[i].us, "us");
    return count;
}

// Of a CA that lives no longer than this call.
static int write_certificate(const struct lab *lab, struct error *err) {
    static const char *const names[] = {"127.0.0.1", NULL};
    const struct device_certificate what = {.names = names};
    struct buf certificate = {0}, key = {0};
    struct device_ca *ca = NULL;
    int rc = device_ca_new(&ca, err);
    if (rc == 0) rc = device_ca_issue_pem(ca, &what, &certificate, &key, err);
    if (rc == 0) rc = file_write(path_of(lab, "https-ca.pem").text, device_ca_certificate(ca), err);
    if (rc == 0) rc = file_write(path_of(lab, "https-cert.pem").text, &certificate, err);
    const struct lab_path path = path_of(lab, "https-key.pem");
    if (rc == 0) rc = file_write(path.text, &key, err);
    if (rc == 0 && chmod(path.text, S_IRUSR | S_IWUSR) != 0)
        rc = error_system(err, -errno, "%s", path.text);
    device_ca_free(ca);
    buf_deinit(&certificate);
    buf_deinit(&key);
    return rc;
}

static int start_orchestrator(struct lab *lab, const struct lab_config *config,
                              const char *log_file, struct daemon *d, struct error *err) {
    char inventory[128];
    const struct lab_path log = path_of(lab, log_file), store = path_of(lab, store_files[0]);
    const char *state = config->state != NULL ? config->state : config->keeps ? store.text : "none";
    struct texts numbers = {0};
    const char *args[ARGS_MAX] = {"--listen", "127.0.0.1:0", "--inventory", inventory,
                                  "--log",    log.text,      "--state",     state};
    const struct lab_path ca = path_of(lab, "ca.pem"), cert = path_of(lab, "https-cert.pem"),
                          key = path_of(lab, "https-key.pem");
    if (config->https) {
        const int rc = write_certificate(lab, err);
        if (rc != 0) return rc;
    }
    const char *const texts[][2] = {{"--tls-cert", config->https ? cert.text : NULL},
                                    {"--tls-key", config->https ? key.text : NULL},
                                    {"--policy", config->orchestrator_policy},
                                    {"--device-ca", config->tls ? ca.text : NULL},
                                    {"--username", config->username},
                                    {"--password-file", config->password_file},
                                    {"--credentials", config->credentials}};
    size_t count = add_options(args, 8, texts, COUNT(texts));
    count = add_number(args, count, &numbers, "--workers", config->workers, "");
    count = add_timeouts(args, count, &numbers, config);
    add_peers(args, count, &numbers, config);
    lab->asks = config->peers == NULL || config->peers->check;
    snprintf(inventory, sizeof inventory, "%s/inventory/", lab->simulator.url);
    const char *preload = config->turns == NULL ? config->preload : config->turns;
    return start(lab, "orchestrator", args, preload, d, err);
}

int lab_start(struct lab *lab, const struct lab_config *config, struct error *err) {
    *lab = (struct lab){0};
    int rc = scratch_folder(lab->dir, err);
    if (rc == 0) rc = start_simulator(lab, config, err);
    if (rc == 0 && config->workers > 0) rc = lab_start_again(lab, config, err);
    struct error ignored;
    if (rc != 0) lab_stop(lab, &ignored);
    return rc;
}

int lab_kill(struct lab *lab, struct error *err) {
    return process_end(&lab->orchestrator.process, SIGKILL, END_S, NULL, err);
}

int lab_start_again(struct lab *lab, const struct lab_config *config, struct error *err) {
    return start_orchestrator(lab, config, "log", &lab->orchestrator, err);
}

int lab_start_node(struct lab *lab, const struct lab_config *config, unsigned number,
                   struct daemon *node, struct error *err) {
    char log[32];
    snprintf(log, sizeof log, "log%u", number);
    return start_orchestrator(lab, config, log, node, err);
}

static int end(struct daemon *d, struct error *err) {
    return d->process.pid > 0 ? daemon_end(d, SIGTERM, 0, END_S, err) : 0;
}

// The longest that turns.so has seen; 0 where it was not there.
static double take_turns(const struct lab *lab, const char *file) {
    const struct lab_path path = path_of(lab, file);
    struct buf text = {0};
    struct error ignored;
    const char *longest = NULL;
    if (file_read(path.text, &text, &ignored) == 0 && text.len > 0)
        longest = strchr(text.data, ' ');
    const double us = longest == NULL ? 0 : strtod(longest, NULL);
    buf_deinit(&text);
    unlink(path.text);
    return us;
}

int lab_stop(struct lab *lab, struct error *err) {
    struct error second;
    int rc = end(&lab->orchestrator, err);
    int simulator_rc = end(&lab->simulator, rc == 0 ? err : &second);
    lab->orchestrator_turn_us = take_turns(lab, "orchestrator.turns");
    lab->simulator_turn_us = take_turns(lab, "simulator.turns");
    for (size_t i = 0; i < COUNT(other_files); i++)
        unlink(path_of(lab, other_files[i]).text);
    for (size_t i = 0; i < COUNT(store_files); i++)
        unlink(path_of(lab, store_files[i]).text);
    rmdir(lab->dir);
    return rc != 0 ? rc : simulator_rc;
}

double lab_store_bytes(const struct lab *lab) {
    double bytes = 0;
    for (size_t i = 0; i < COUNT(store_files); i++) {
        struct stat status;
        if (stat(path_of(lab, store_files[i]).text, &status) == 0) bytes += (double)status.st_size;
    }
    return bytes;
}

// --- HTTP

int lab_get(const struct daemon *d, const char *path, struct buf *out, struct error *err) {
    char url[256];
    snprintf(url, sizeof url, "%s%s", d->url, path);
    const struct client_request request = {.method = "GET", .url = url, .timeout_s = ANSWER_S};
    return client_expect(&request, 200, out, err);
}

int lab_post(const struct daemon *d, const char *path, const char *json, long status,
             struct buf *out, struct error *err) {
    char url[256];
    snprintf(url, sizeof url, "%s%s", d->url, path);
    const struct client_request request = {.method = "POST",
                                           .url = url,
                                           .body = json,
                                           .body_len = strlen(json),
                                           .is_json = true,
                                           .timeout_s = ANSWER_S};
    return client_expect(&request, status, out, err);
}

int lab_reset(const struct lab *lab, uint64_t seed, struct error *err) {
    char json[64];
    snprintf(json, sizeof json, "{\"seed\": %llu}", (unsigned long long)seed);
    return lab_post(&lab->simulator, "/reset/", json, 204, NULL, err);
}

int lab_count(const struct lab *lab, struct lab_counts *counts, struct error *err) {
    struct buf scrape = {0};
    int rc = lab_get(&lab->simulator, "/metrics/", &scrape, err);
    if (rc == 0) {
        scrape_sum(scrape.data, "simulator_logins_total", &counts->logins);
        scrape_sum(scrape.data,
                   "simulator_requests_total{operation=\"install_os_version\","
                   "outcome=\"answered\"}",
                   &counts->installs);
        scrape_sum(scrape.data, "simulator_violations_total", &counts->violations);
    }
    buf_deinit(&scrape);
    return rc;
}

int lab_check(const struct lab *lab, struct lab_counts *counts, const struct lab_run *run,
              struct error *err) {
    struct lab_counts now;
    int rc = lab_count(lab, &now, err);
    if (rc != 0) return rc;
    *counts = (struct lab_counts){now.logins - counts->logins, now.installs - counts->installs,
                                  now.violations - counts->violations};
    if (counts->violations > 0)
        return error_set(err, "the referee saw %.0f violations", counts->violations);
    if (run->failed > 0 || run->skipped > 0)
        return error_set(err, "%llu hosts failed, %llu were skipped",
                         (unsigned long long)run->failed, (unsigned long long)run->skipped);
    const double completed = (double)run->completed;
    if (counts->installs != completed || counts->logins < completed ||
        (counts->logins > completed && !run->asks))
        return error_set(err,
                         "%llu hosts completed, but the simulator counted %.0f logins and "
                         "%.0f installs",
                         (unsigned long long)run->completed, counts->logins, counts->installs);
    return 0;
}

int lab_check_versions(const struct lab *lab, const char *version, unsigned devices,
                       struct error *err) {
    char wanted[64];
    struct buf text = {0};
    unsigned right = 0;
    int rc = lab_get(&lab->simulator, "/devices/", &text, err);
    snprintf(wanted, sizeof wanted, "\"version\": \"%s\"", version);
    for (const char *at = text.data; rc == 0 && (at = strstr(at, wanted)) != NULL; at++)
        right++;
    buf_deinit(&text);
    if (rc == 0 && right != devices)
        rc = error_set(err, "%u of %u devices run %s", right, devices, version);
    return rc;
}

// --- runs

static uint64_t count_of(const cJSON *report, const char *list) {
    return (uint64_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(report, list));
}

int lab_upgrade(struct lab *lab, const char *version, struct lab_run *run, struct error *err) {
    char json[64];
    struct buf text = {0};
    cJSON *report = NULL;
    snprintf(json, sizeof json, "{\"version\": \"%s\"}", version);
    double cpu_s = process_cpu_s(&lab->orchestrator.process);
    double simulator_cpu_s = process_cpu_s(&lab->simulator.process),
           started_s = clock_monotonic_s();
    int rc = lab_post(&lab->orchestrator, "/upgrade-os/", json, 200, &text, err);
    *run = (struct lab_run){.asks = lab->asks,
                            .wall_s = clock_monotonic_s() - started_s,
                            .cpu_s = process_cpu_s(&lab->orchestrator.process) - cpu_s,
                            .simulator_cpu_s =
                                process_cpu_s(&lab->simulator.process) - simulator_cpu_s};
    if (rc == 0) rc = json_parse(text.data, text.len, &report, err);
    if (rc == 0) {
        run->completed = count_of(report, "completed");
        run->failed = count_of(report, "failed");
        run->skipped = count_of(report, "skipped");
    }
    cJSON_Delete(report);
    buf_deinit(&text);
    return rc;
}

int lab_begin_upgrade(const struct lab *lab, const char *version, int *connection,
                      struct error *err) {
    char json[64], url[128];
    snprintf(json, sizeof json, "{\"version\": \"%s\"}", version);
    snprintf(url, sizeof url, "%s/upgrade-os/", lab->orchestrator.url);
    const struct client_request request = {
        .method = "POST", .url = url, .body = json, .body_len = strlen(json), .is_json = true};
    return client_begin(&request, connection, err);
}

static int read_client(const char *line, struct lab_run *run, struct error *err) {
    cJSON *json = NULL;
    int rc = json_parse(line, strlen(line), &json, err);
    if (rc == 0) rc = json_uint(json, "completed", 0, UINT32_MAX, &run->completed, err);
    if (rc == 0) rc = json_uint(json, "failed", 0, UINT32_MAX, &run->failed, err);
    if (rc == 0) rc = json_number_opt(json, "wall_s", 0, 1e9, &run->wall_s, err);
    if (rc == 0) rc = json_number_opt(json, "cpu_s", 0, 1e9, &run->cpu_s, err);
    cJSON_Delete(json);
    return rc;
}

int lab_client(struct lab *lab, const char *const *argv, const char *version, unsigned workers,
               struct lab_run *run, struct error *err) {
    char inventory[128], count[32], line[512], stderr_path[SCRATCH_PATH_MAX + 16];
    const char *all[ARGS_MAX];
    size_t n = 0;
    for (; argv[n] != NULL; n++)
        all[n] = argv[n];
    snprintf(inventory, sizeof inventory, "%s/inventory/", lab->simulator.url);
    snprintf(count, sizeof count, "%u", workers);
    snprintf(stderr_path, sizeof stderr_path, "%s/stderr", lab->dir);
    const char *const more[] = {"--inventory", inventory, "--version", version,
                                "--workers",   count,     NULL};
    memcpy(all + n, more, sizeof more);
    struct process client;
    struct process_end how;
    *run = (struct lab_run){0};
    double simulator_cpu_s = process_cpu_s(&lab->simulator.process);
    int rc = process_start(&client,
                           &(struct process_command){.argv = all, .stderr_path = stderr_path}, err);
    if (rc != 0) return rc;
    rc = process_read_line(&client, CLIENT_S, line, sizeof line, err);
    struct error second;
    process_end(&client, rc == 0 ? 0 : SIGKILL, END_S, &how, &second);
    run->simulator_cpu_s = process_cpu_s(&lab->simulator.process) - simulator_cpu_s;
    if (rc == 0) rc = read_client(line, run, err);
    if (rc != 0) error_in(err, "%s", argv[n - 1]);
    return rc;
}

int lab_begin_job(const struct lab *lab, const char *version, char id[LAB_JOB_ID_MAX],
                  struct error *err) {
    enum { PATIENCE_S = 1800 }; // a million hosts are read and kept before the answer
    char url[128], body[64], location[128] = "";
    struct reply reply;
    cJSON *headers = cJSON_CreateObject();
    cJSON_AddStringToObject(headers, "Prefer", "respond-async");
    snprintf(url, sizeof url, "%s/upgrade-os/", lab->orchestrator.url);
    snprintf(body, sizeof body, "{\"version\": \"%s\"}", version);
    const struct client_request request = {.method = "POST",
                                           .url = url,
                                           .headers = headers,
                                           .body = body,
                                           .body_len = strlen(body),
                                           .is_json = true,
                                           .timeout_s = PATIENCE_S};
    int rc = client_send(&request, &reply, err);
    cJSON_Delete(headers);
    if (rc != 0) return rc;
    reply_header(&reply, "Location", location, sizeof location);
    if (reply.status != 202 || sscanf(location, "/jobs/%63[^/]/", id) != 1)
        rc = error_set(err, "the job was not taken: %ld: %.200s", reply.status, reply.body);
    reply_deinit(&reply);
    return rc;
}
