#include "tests/e2e/harness.h"

#include "common/count.h"

#include "common/address.h"
#include "common/buf.h"
#include "common/client.h"
#include "common/daemon.h"
#include "common/file.h"
#include "common/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PATIENCE_S = 60, // for what comes at once on a quiet machine
    END_S = 600,     // for what takes as long as it takes: Check's own timeout is shorter
};

// --- programs

struct command_line {
    char path[256];
    const char *argv[64];
};

static bool is_among(const char *option, const char *const *args) {
    for (size_t i = 0; args[i] != NULL; i++)
        if (strcmp(args[i], option) == 0) return true;
    return false;
}

// An orchestrator keeps no store, unless a test gives it one: none is to be left where tests run.
static void make_command_line(const char *name, const char *const *args, struct command_line *c) {
    const char *build = getenv("BUILD");
    size_t count = 1;
    *c = (struct command_line){.argv = {c->path}};
    snprintf(c->path, sizeof c->path, "%s/%s", build == NULL ? "build" : build, name);
    for (size_t i = 0; i < 60 && args[i] != NULL; i++)
        c->argv[count++] = args[i];
    const bool is_command = args[0] != NULL && args[0][0] != '-'; // a client of one that runs
    if (strcmp(name, "orchestrator") != 0 || is_command || is_among("--state", args)) return;
    c->argv[count++] = "--state";
    c->argv[count] = "none";
}

struct program program_start(const char *name, const char *const *args) {
    struct command_line c;
    struct daemon daemon;
    struct error err;
    make_command_line(name, args, &c);
    const struct daemon_command command = {
        .name = name, .process.argv = c.argv, .patience_s = PATIENCE_S};
    ck_assert_msg(daemon_start(&daemon, &command, &err) == 0, "%s", err.text);
    struct program p = {.pid = daemon.process.pid, .out = daemon.process.out};
    snprintf(p.ready, sizeof p.ready, "%s", daemon.ready);
    snprintf(p.url, sizeof p.url, "%s", daemon.url);
    return p;
}

static struct program spawn(const char *name, const char *const *args, const char *stderr_path) {
    struct command_line c;
    struct process process;
    struct error err;
    const struct process_command command = {.argv = c.argv, .stderr_path = stderr_path};
    make_command_line(name, args, &c);
    ck_assert_msg(process_start(&process, &command, &err) == 0, "%s", err.text);
    return (struct program){.pid = process.pid, .out = process.out};
}

struct program program_spawn(const char *name, const char *const *args) {
    return spawn(name, args, "/dev/null");
}

int program_wait(struct program *p) {
    struct process process = {p->pid, p->out};
    struct process_end end;
    struct error err;
    ck_assert_msg(process_end(&process, 0, END_S, &end, &err) == 0, "%s", err.text);
    ck_assert_msg(WIFEXITED(end.status), "ended by signal %d", WTERMSIG(end.status));
    return WEXITSTATUS(end.status);
}

int program_run(const char *name, const char *const *args, char *output, size_t size) {
    struct program p = spawn(name, args, "/dev/stdout");
    size_t len = 0;
    ssize_t n;
    while (len < size - 1 && (n = read(p.out, output + len, size - 1 - len)) > 0)
        len += (size_t)n;
    output[len] = '\0';
    return program_wait(&p);
}

void program_signal(const struct program *p, int signum) {
    ck_assert_int_eq(kill(p->pid, signum), 0);
}

int program_stop(struct program *p) {
    program_signal(p, SIGTERM);
    return program_wait(p);
}

// --- the lab

static const char *const *joined(const char *const *first, const char *const *second,
                                 const char **list) {
    size_t n = 0;
    for (; *first != NULL; first++)
        list[n++] = *first;
    for (; second != NULL && *second != NULL; second++)
        list[n++] = *second;
    list[n] = NULL;
    return list;
}

struct lab bare_start(const char *const *args) {
    struct lab lab = {.dir = "/tmp/e2e-XXXXXX"};
    const char *all[64];
    ck_assert_ptr_nonnull(mkdtemp(lab.dir));
    lab.simulator = program_start(
        "simulator", joined(ARGS("--devices", "127.0.0.1:0", "--admin", "127.0.0.1:0"), args, all));
    const char *devices = strstr(lab.simulator.ready, " on ");
    ck_assert_msg(devices != NULL, "ready line: %s", lab.simulator.ready);
    snprintf(lab.devices, sizeof lab.devices, "%.*s", (int)strcspn(devices + 4, ","), devices + 4);
    snprintf(lab.admin, sizeof lab.admin, "%s", lab.simulator.url);
    return lab;
}

struct lab lab_start(const char *const *simulator_args, const char *const *orchestrator_args) {
    struct lab lab = bare_start(simulator_args);
    const char *args[64];
    char inventory[128];
    snprintf(inventory, sizeof inventory, "%s/inventory/", lab.admin);
    snprintf(lab.log, sizeof lab.log, "%s/orchestrator.log", lab.dir);
    lab.orchestrator = program_start(
        "orchestrator", joined(ARGS("--listen", "127.0.0.1:0", "--inventory", inventory, "--log",
                                    lab.log, "--log-level", "debug"),
                               orchestrator_args, args));
    snprintf(lab.api, sizeof lab.api, "%s", lab.orchestrator.url);
    return lab;
}

void assert_logged(const struct lab *lab, const char *line) {
    char *log = read_file(lab->log);
    ck_assert_msg(strstr(log, line) != NULL, "not in the log: %s\n%.4000s", line, log);
    free(log);
}

void lab_stop_unaudited(struct lab *lab) {
    ck_assert_int_eq(program_stop(&lab->orchestrator), 0);
    ck_assert_int_eq(program_stop(&lab->simulator), 0);
    unlink(lab->log);
    rmdir(lab->dir);
}

void lab_stop(struct lab *lab) {
    cJSON *audit = get_json(lab->admin, "/audit/");
    char *violations = cJSON_PrintUnformatted(cJSON_GetObjectItem(audit, "violations"));
    ck_assert_str_eq(violations, "[]");
    free(violations);
    cJSON_Delete(audit);
    lab_stop_unaudited(lab);
}

void bare_stop(struct lab *lab) {
    ck_assert_int_eq(program_stop(&lab->simulator), 0);
    rmdir(lab->dir);
}

// --- HTTP

static cJSON *header_object(const char *const *headers) {
    cJSON *object = cJSON_CreateObject();
    for (; headers != NULL && *headers != NULL; headers++) {
        size_t len = strcspn(*headers, ":");
        char *name = mem_strndup(*headers, len);
        const char *value = *headers + len + 1;
        cJSON_AddStringToObject(object, name, value + strspn(value, " "));
        free(name);
    }
    return object;
}

struct answer http_send(const char *method, const char *base, const char *path,
                        const char *const *headers, const char *body) {
    char url[512];
    struct reply reply;
    struct error ignored;
    cJSON *object = header_object(headers);
    snprintf(url, sizeof url, "%s%s", base, path);
    const struct client_request request = {.method = method,
                                           .url = url,
                                           .headers = object,
                                           .body = body,
                                           .body_len = body == NULL ? 0 : strlen(body),
                                           .timeout_s = END_S};
    int rc = client_send(&request, &reply, &ignored);
    cJSON_Delete(object);
    return rc == 0 ? (struct answer){reply.status, reply.headers, reply.body} : (struct answer){0};
}

struct answer http_get(const char *base, const char *path) {
    return http_send("GET", base, path, NULL, NULL);
}

struct answer http_post(const char *base, const char *path, const char *json) {
    return http_send("POST", base, path, ARGS("Content-Type: application/json"), json);
}

const char *answer_header(const struct answer *a, const char *name) {
    static char value[512];
    const struct reply reply = {.headers = a->headers};
    return reply_header(&reply, name, value, sizeof value) ? value : NULL;
}

cJSON *answer_json(const struct answer *a) {
    cJSON *json = cJSON_Parse(a->body);
    ck_assert_msg(json != NULL, "not JSON: %s", a->body);
    return json;
}

void answer_free(struct answer *a) {
    free(a->headers);
    free(a->body);
    *a = (struct answer){0};
}

struct call {
    pthread_t thread;
    char *base, *path, *json;
    struct answer answer;
};

static void *run_call(void *arg) {
    struct call *c = arg;
    c->answer = http_post(c->base, c->path, c->json);
    return NULL;
}

struct call *call_start(const char *base, const char *path, const char *json) {
    struct call *c = mem_zalloc(sizeof *c);
    c->base = mem_strdup(base);
    c->path = mem_strdup(path);
    c->json = mem_strdup(json);
    ck_assert_int_eq(pthread_create(&c->thread, NULL, run_call, c), 0);
    return c;
}

struct answer call_wait(struct call *c) {
    ck_assert_int_eq(pthread_join(c->thread, NULL), 0);
    struct answer answer = c->answer;
    free(c->base);
    free(c->path);
    free(c->json);
    free(c);
    return answer;
}

// --- the simulator's admin API

void add_faults(const struct lab *lab, const char *json) {
    struct answer a = http_post(lab->admin, "/faults/", json);
    ck_assert_msg(a.status == 201, "%ld %s", a.status, a.body);
    answer_free(&a);
}

cJSON *get_json(const char *base, const char *path) {
    struct answer a = http_get(base, path);
    ck_assert_msg(a.status == 200, "GET %s: %ld %s", path, a.status, a.body);
    cJSON *json = answer_json(&a);
    answer_free(&a);
    return json;
}

void await_event(const char *admin, const char *operation, const char *phase, int count) {
    double after = 0;
    for (int tries = 0; tries < PATIENCE_S; tries++) {
        char path[128];
        snprintf(path, sizeof path, "/events/?after=%.0f&wait=1s", after);
        cJSON *events = get_json(admin, path);
        const cJSON *event;
        cJSON_ArrayForEach(event, events) {
            after = cJSON_GetObjectItem(event, "n")->valuedouble;
            if (strcmp(cJSON_GetObjectItem(event, "operation")->valuestring, operation) == 0 &&
                strcmp(cJSON_GetObjectItem(event, "phase")->valuestring, phase) == 0)
                count--;
        }
        if (cJSON_GetArraySize(events) > 0) tries = 0;
        cJSON_Delete(events);
        if (count <= 0) return;
    }
    ck_abort_msg("%s %s did not come", operation, phase);
}

// --- assertions

void assert_json(const char *text, const char *expected) {
    cJSON *got = cJSON_Parse(text), *want = cJSON_Parse(expected);
    ck_assert_msg(want != NULL, "the test's own JSON is wrong: %s", expected);
    ck_assert_msg(cJSON_Compare(got, want, true), "expected %s\ngot %s", expected, text);
    cJSON_Delete(got);
    cJSON_Delete(want);
}

void assert_answer(struct answer a, long status, const char *expected_json) {
    ck_assert_msg(a.status == status, "expected %ld, got %ld: %s", status, a.status, a.body);
    assert_json(a.body, expected_json);
    answer_free(&a);
}

void assert_problem(struct answer a, long status, const char *field, const char *detail_part) {
    ck_assert_msg(a.status == status, "expected %ld, got %ld: %s", status, a.status, a.body);
    ck_assert_str_eq(answer_header(&a, "Content-Type"), "application/problem+json");
    cJSON *problem = answer_json(&a);
    const cJSON *got = cJSON_GetObjectItem(problem, "field");
    ck_assert_str_eq(cJSON_IsString(got) ? got->valuestring : "", field == NULL ? "" : field);
    ck_assert_int_eq((long)cJSON_GetObjectItem(problem, "status")->valuedouble, status);
    const char *detail = cJSON_GetObjectItem(problem, "detail")->valuestring;
    ck_assert_msg(strstr(detail, detail_part) != NULL, "'%s' is not in: %s", detail_part, detail);
    cJSON_Delete(problem);
    answer_free(&a);
}

void assert_untouched(const struct lab *lab) {
    cJSON *answer = get_json(lab->admin, "/devices/");
    const cJSON *devices = cJSON_GetObjectItem(answer, "devices"), *device;
    ck_assert_int_gt(cJSON_GetArraySize(devices), 0);
    cJSON_ArrayForEach(device, devices) {
        const char *name = cJSON_GetObjectItem(device, "name")->valuestring;
        ck_assert_msg(cJSON_GetObjectItem(device, "logins")->valuedouble == 0, "%s", name);
        ck_assert_msg(cJSON_GetObjectItem(device, "installs")->valuedouble == 0, "%s", name);
    }
    cJSON_Delete(answer);
}

size_t json_strings(const cJSON *array) {
    ck_assert(cJSON_IsArray(array));
    size_t count = 0;
    const cJSON *element;
    cJSON_ArrayForEach(element, array) {
        ck_assert(cJSON_IsString(element));
        count++;
    }
    return count;
}

char *read_file(const char *path) {
    struct buf text = {0};
    struct error err;
    ck_assert_msg(file_read(path, &text, &err) == 0, "%s", err.text);
    return buf_take(&text);
}

// --- a device's port

int dial(const char *address) {
    union address a;
    struct error err;
    ck_assert_msg(address_parse(address, &a, &err) == 0, "%s", err.text);
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, &a.any, sizeof a.v4), 0);
    return fd;
}

void send_text(int fd, const char *text) {
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        ck_assert_msg(n > 0, "send: %s", strerror(errno));
        text += n;
        len -= (size_t)n;
    }
}

char *read_line(int fd) {
    struct buf line = {0};
    char c;
    for (;;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        ck_assert_msg(poll(&readable, 1, PATIENCE_S * 1000) == 1, "nothing came");
        ssize_t n = read(fd, &c, 1);
        if (n == 1 && c != '\n') {
            buf_add(&line, &c, 1);
            continue;
        }
        if (n == 1) return buf_take(&line);
        ck_assert_msg(n == 0, "read: %s", strerror(errno));
        ck_assert_msg(line.len == 0, "the stream ended in mid-line: %s", line.data);
        return NULL;
    }
}

void assert_reply(int fd, const char *expected_json) {
    char *line = read_line(fd);
    ck_assert_msg(line != NULL, "expected %s, but the stream ended", expected_json);
    assert_json(line, expected_json);
    free(line);
}

int read_rest(int fd, char **text) {
    struct buf rest = {0};
    char bytes[4096];
    for (;;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        ck_assert_msg(poll(&readable, 1, PATIENCE_S * 1000) == 1, "nothing came");
        ssize_t n = read(fd, bytes, sizeof bytes);
        int error = n < 0 ? errno : 0;
        if (n > 0) {
            buf_add(&rest, bytes, (size_t)n);
            continue;
        }
        *text = buf_take(&rest);
        return error;
    }
}

int listen_silently(char url[64]) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, len), 0);
    ck_assert_int_eq(listen(fd, 64), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    snprintf(url, 64, "http://127.0.0.1:%u/", ntohs(at.sin_port));
    return fd;
}

// --- files of a test's own

const char *folder_path(const char *dir, const char *name) {
    static char paths[8][160];
    static unsigned next;
    char *path = paths[next++ % COUNT(paths)];
    snprintf(path, sizeof paths[0], "%.60s/%.60s", dir, name);
    return path;
}

void write_private(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}
