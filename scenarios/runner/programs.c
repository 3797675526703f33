// Each program runs in a folder of its own below the scenario's, so that what it writes by default
// (a log, a state) lands there and is found again when it is started anew. So every path that it is
// given begins with /.
//
// A program that is started anew gets the port that it had, so that what was told its address
// before still reaches it. Whoever ends a program takes its process out of the list first: of two
// branches that end it at once, one does, and the other is told that it is not running.
#include "scenarios/runner/programs.h"

#include "common/count.h"
#include "common/file.h"
#include "common/mem.h"
#include "scenarios/runner/drain.h"
#include "simulator/operation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const program_names[PROGRAM_COUNT] = {"simulator", "orchestrator"};

enum { ARG_MAX = 512 };

struct command { // a command line under construction
    char **argv; // NULL ends it
    size_t count;
};

void programs_init(struct programs *p, const char *dir, const char *const binaries[PROGRAM_COUNT],
                   const cJSON *scenario, uint64_t seed) {
    *p = (struct programs){.dir = dir, .scenario = scenario, .seed = seed};
    for (int i = 0; i < PROGRAM_COUNT; i++)
        p->list[i].binary = binaries[i];
    pthread_mutex_init(&p->lock, NULL);
}

void programs_log_path(const struct programs *p, char path[512]) {
    snprintf(path, 512, "%s/orchestrator.log", p->dir);
}

void programs_stderr_path(const struct programs *p, enum program_name name, char path[512]) {
    snprintf(path, 512, "%s/%s.stderr", p->dir, program_names[name]);
}

void programs_stdout_path(const struct programs *p, enum program_name name, char path[512]) {
    snprintf(path, 512, "%s/%s.stdout", p->dir, program_names[name]);
}

// --- command lines

static void add_one(struct command *c, const char *text) {
    c->argv = mem_resize(c->argv, c->count + 2, sizeof *c->argv);
    c->argv[c->count++] = mem_strdup(text);
    c->argv[c->count] = NULL;
}

static void add(struct command *c, const char *option, const char *value) {
    if (option != NULL) add_one(c, option);
    add_one(c, value);
}

static void command_deinit(struct command *c) {
    for (size_t i = 0; i < c->count; i++)
        free(c->argv[i]);
    free(c->argv);
}

static void add_path(struct command *c, const char *option, const char *path) {
    char *absolute = file_absolute(path);
    add(c, option, absolute);
    free(absolute);
}

// What is no option, or one whose value is written to a file.
static bool is_set_apart(const char *field) {
    static const char *const apart[] = {"password", "environment", "policy", "restarts",
                                        "devices_tls"};
    for (size_t i = 0; i < COUNT(apart); i++)
        if (strcmp(apart[i], field) == 0) return true;
    return false;
}

// {"install_timeout": "2s"} becomes --install-timeout 2s.
static void add_options(struct command *c, const cJSON *options) {
    const cJSON *option;
    cJSON_ArrayForEach(option, options) {
        if (is_set_apart(option->string)) continue;
        char name[64], number[64];
        snprintf(name, sizeof name, "--%s", option->string);
        for (char *s = name; *s != '\0'; s++)
            if (*s == '_') *s = '-';
        snprintf(number, sizeof number, "%.17g", option->valuedouble);
        add(c, name, cJSON_IsString(option) ? option->valuestring : number);
    }
}

// Readable by its owner alone: it may be a password.
static int write_file(const char *path, const char *text, struct error *err) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) return error_system(err, -errno, "%s", path);
    fputs(text, file);
    if (fclose(file) != 0) return error_system(err, -errno, "%s", path);
    return 0;
}

static int write_json(const char *path, const cJSON *value, struct error *err) {
    char *json = cJSON_Print(value); // every JSON text is YAML
    int rc = write_file(path, json, err);
    cJSON_free(json);
    return rc;
}

// A policy's file, or one of that name for a policy that the scenario holds.
static int add_policy(const struct programs *p, struct command *c, const cJSON *policy,
                      const char *name, struct error *err) {
    char path[ARG_MAX];
    if (policy == NULL) return 0;
    if (cJSON_IsString(policy)) {
        add(c, "--policy", policy->valuestring);
        return 0;
    }
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    int rc = write_json(path, policy, err);
    if (rc == 0) add(c, "--policy", path);
    return rc;
}

// Where a program listens: a free port, or, when it is started anew, the one that it had.
static const char *listen_address(const struct program *program) {
    static const char scheme[] = "http://";
    const char *url = program->daemon.url;
    return *url == '\0' ? "127.0.0.1:0" : url + sizeof scheme - 1;
}

// No call takes time, but an install does: without, two devices of a group that are driven at once
// might each be done before the other begins, and the referee would see nothing wrong.
static void add_latency(cJSON *network) {
    cJSON *latency = cJSON_AddObjectToObject(network, "latency");
    for (int i = 0; i < OPERATION_COUNT; i++)
        cJSON_AddStringToObject(latency, operation_names[i], i == OPERATION_INSTALL ? "5ms" : "0");
}

// A network that the scenario describes, or ACME's where it describes none.
static int write_network(const cJSON *given, bool own_latency, const char *path,
                         struct error *err) {
    cJSON *network = given == NULL ? cJSON_CreateObject() : cJSON_Duplicate(given, true);
    if (!own_latency) add_latency(network);
    int rc = write_json(path, network, err);
    cJSON_Delete(network);
    return rc;
}

// Where the simulator writes its CA's certificate, and the orchestrator reads it.
static bool has_device_ca(const struct programs *p, char path[ARG_MAX]) {
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(p->scenario, "simulator");
    snprintf(path, ARG_MAX, "%s/devices-ca.pem", p->dir);
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(options, "devices_tls"));
}

static int simulator_command(const struct programs *p, struct command *c, struct error *err) {
    char text[ARG_MAX];
    const cJSON *network = cJSON_GetObjectItemCaseSensitive(p->scenario, "network");
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(p->scenario, "simulator");
    bool own_latency =
        cJSON_HasObjectItem(network, "latency") || cJSON_HasObjectItem(options, "latency");
    add(c, "--devices", "127.0.0.1:0");
    add(c, "--admin", listen_address(&p->list[PROGRAM_SIMULATOR]));
    snprintf(text, sizeof text, "%llu", (unsigned long long)p->seed);
    add(c, "--seed", text);
    if (has_device_ca(p, text)) add(c, "--devices-tls", text);
    add_options(c, options);
    const cJSON *policy = cJSON_GetObjectItemCaseSensitive(p->scenario, "policy");
    int rc = add_policy(p, c, policy, "policy.yaml", err);
    if (rc != 0) return rc;
    if (cJSON_IsString(network)) {
        add(c, "--network", network->valuestring);
        return 0;
    }
    if (network == NULL && own_latency) return 0; // ACME's, as the simulator has it
    snprintf(text, sizeof text, "%s/network.yaml", p->dir);
    rc = write_network(network, own_latency, text, err);
    if (rc == 0) add(c, "--network", text);
    return rc;
}

static int orchestrator_command(struct programs *p, struct command *c, struct error *err) {
    char text[512], url[64];
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(p->scenario, "orchestrator");
    const cJSON *password = cJSON_GetObjectItemCaseSensitive(options, "password");
    add(c, "--listen", listen_address(&p->list[PROGRAM_ORCHESTRATOR]));
    programs_log_path(p, text);
    add(c, "--log", text);
    if (!cJSON_HasObjectItem(options, "inventory")) {
        programs_url(p, PROGRAM_SIMULATOR, url);
        snprintf(text, sizeof text, "%s/inventory/", url);
        add(c, "--inventory", text);
    }
    if (cJSON_IsString(password)) {
        snprintf(text, sizeof text, "%s/password", p->dir);
        int rc = write_file(text, password->valuestring, err);
        if (rc != 0) return rc;
        add(c, "--password-file", text);
    }
    if (has_device_ca(p, text) && !cJSON_HasObjectItem(options, "device_ca"))
        add(c, "--device-ca", text);
    add_options(c, options);
    const cJSON *own = cJSON_GetObjectItemCaseSensitive(options, "policy");
    const cJSON *shared = cJSON_GetObjectItemCaseSensitive(p->scenario, "policy");
    return own != NULL ? add_policy(p, c, own, "orchestrator-policy.yaml", err)
                       : add_policy(p, c, shared, "policy.yaml", err);
}

// --- starting

// {"http_proxy": "x"} becomes http_proxy=x.
static void read_environment(const struct programs *p, enum program_name name, struct command *c) {
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(p->scenario, program_names[name]);
    const cJSON *variable;
    cJSON_ArrayForEach(variable, cJSON_GetObjectItemCaseSensitive(options, "environment")) {
        struct buf entry = {0};
        buf_addf(&entry, "%s=%s", variable->string, variable->valuestring);
        add(c, NULL, entry.data);
        buf_deinit(&entry);
    }
}

static int make_folder(const struct programs *p, enum program_name name, char path[512],
                       struct error *err) {
    snprintf(path, 512, "%s/%s", p->dir, program_names[name]);
    if (mkdir(path, 0755) == 0 || errno == EEXIST) return 0; // it is started anew
    return error_system(err, -errno, "%s", path);
}

int programs_start(struct programs *p, enum program_name name, struct error *err) {
    struct program *program = &p->list[name];
    struct command c = {0}, environment = {0};
    struct daemon daemon;
    char stderr_path[512], stdout_path[512], dir[512];
    programs_stderr_path(p, name, stderr_path);
    programs_stdout_path(p, name, stdout_path);
    add_path(&c, NULL, program->binary);
    int rc = make_folder(p, name, dir, err);
    if (rc == 0)
        rc = name == PROGRAM_SIMULATOR ? simulator_command(p, &c, err)
                                       : orchestrator_command(p, &c, err);
    read_environment(p, name, &environment);
    const struct daemon_command command = {
        .name = program_names[name],
        .process = {.argv = (const char *const *)c.argv,
                    .stderr_path = stderr_path,
                    .dir = dir,
                    .environment = (const char *const *)environment.argv},
        .patience_s = PROGRAM_PATIENCE_S};
    if (rc == 0) rc = daemon_start(&daemon, &command, err);
    if (rc == 0) {
        const pthread_t drain = drain_start(daemon.process.out, stdout_path);
        pthread_mutex_lock(&p->lock);
        program->daemon = daemon;
        program->drain = drain;
        program->ending = false;
        p->changes++;
        pthread_mutex_unlock(&p->lock);
    }
    command_deinit(&c);
    command_deinit(&environment);
    return rc;
}

// --- while it runs

void programs_url(struct programs *p, enum program_name name, char url[64]) {
    pthread_mutex_lock(&p->lock);
    memcpy(url, p->list[name].daemon.url, 64);
    pthread_mutex_unlock(&p->lock);
}

static struct process process_of(struct programs *p, enum program_name name) {
    pthread_mutex_lock(&p->lock);
    struct process process = p->list[name].daemon.process;
    pthread_mutex_unlock(&p->lock);
    return process;
}

bool programs_running(struct programs *p, enum program_name name) {
    return process_of(p, name).pid > 0;
}

bool programs_settled(struct programs *p, unsigned *changes) {
    bool settled = true;
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < PROGRAM_COUNT; i++)
        settled = settled && p->list[i].daemon.process.pid > 0 && !p->list[i].ending;
    *changes = p->changes;
    pthread_mutex_unlock(&p->lock);
    return settled;
}

int programs_signal(struct programs *p, enum program_name name, int signum, struct error *err) {
    struct process process = process_of(p, name);
    if (process.pid <= 0) return error_set(err, "the %s is not running", program_names[name]);
    pthread_mutex_lock(&p->lock);
    p->changes++;
    if (signum != SIGSTOP && signum != SIGCONT && (signum != SIGHUP || name == PROGRAM_SIMULATOR))
        p->list[name].ending = true;
    pthread_mutex_unlock(&p->lock);
    return process_signal(&process, signum, err);
}

// The program, which is the caller's to end: of two branches one ends it.
static int take(struct programs *p, enum program_name name, struct program *taken,
                struct error *err) {
    pthread_mutex_lock(&p->lock);
    *taken = p->list[name];
    p->list[name].daemon.process = (struct process){.out = -1};
    p->changes++;
    pthread_mutex_unlock(&p->lock);
    if (taken->daemon.process.pid <= 0)
        return error_set(err, "the %s is not running", program_names[name]);
    return 0;
}

int programs_await_end(struct programs *p, enum program_name name, int code, struct error *err) {
    struct program program;
    int rc = take(p, name, &program, err);
    if (rc != 0) return rc;
    rc = daemon_end(&program.daemon, 0, code, PROGRAM_PATIENCE_S, err);
    drain_end(program.drain);
    return rc;
}

int programs_kill(struct programs *p, enum program_name name, struct error *err) {
    struct program program;
    int rc = take(p, name, &program, err);
    if (rc != 0) return rc;
    rc = process_end(&program.daemon.process, SIGKILL, PROGRAM_PATIENCE_S, NULL, err);
    drain_end(program.drain);
    return rc;
}
