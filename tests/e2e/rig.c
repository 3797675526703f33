#include "tests/e2e/rig.h"

#include "common/buf.h"
#include "common/client.h"
#include "common/count.h"
#include "common/daemon.h"
#include "common/file.h"
#include "common/folder.h"
#include "common/glob.h"
#include "common/mem.h"
#include "tests/torture/truth.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_S = 60, ROWS_MAX = 100 };

struct rig rig;

static const char body[] = "{\"version\": \"5.9.1\"}"; // that no device has from birth

// --- the rows

enum { ROW_TEST, ROW_FAULT, ROW_SAYS, ROW_DOES, ROW_REMEDY, ROW_COLUMNS };

static struct row { char *columns[ROW_COLUMNS]; } rows[ROWS_MAX];
static size_t rows_count;
static char *rows_text;

static void read_rows(void) {
    char *rest, *more;
    rows_text = read_file("spec/machine_faults.tsv");
    rows_count = 0;
    strtok_r(rows_text, "\n", &rest); // the names of the columns
    for (char *line; (line = strtok_r(NULL, "\n", &rest)) != NULL;) {
        ck_assert_uint_lt(rows_count, ROWS_MAX);
        struct row *row = &rows[rows_count++];
        for (int i = 0; i < ROW_COLUMNS; i++) {
            row->columns[i] = strtok_r(i == 0 ? line : NULL, "\t", &more);
            ck_assert_msg(row->columns[i] != NULL, "line %zu has no column %d", rows_count + 1, i);
        }
        ck_assert_msg(strtok_r(NULL, "\t", &more) == NULL, "line %zu has more", rows_count + 1);
    }
}

// Check calls the function of a test NAME_fn. The name of a row's test stands behind its suite's.
static bool is_of(const struct row *row, const char *test, size_t len) {
    const char *name = strstr(row->columns[ROW_TEST], ": ");
    return name != NULL && strlen(name + 2) == len && strncmp(name + 2, test, len) == 0;
}

static const struct row *row_of(const char *test) {
    const size_t len = strlen(test), end = strlen("_fn");
    const size_t name_len = len > end && strcmp(test + len - end, "_fn") == 0 ? len - end : len;
    for (size_t i = 0; i < rows_count; i++)
        if (is_of(&rows[i], test, name_len)) return &rows[i];
    ck_abort_msg("spec/machine_faults.tsv has no row of %s", test);
    return NULL;
}

void rig_assert_rows(const char *suite, const char *const *tests) {
    const size_t len = strlen(suite);
    for (size_t i = 0; i < rows_count; i++) {
        const char *test = rows[i].columns[ROW_TEST];
        bool is_there = strncmp(test, suite, len) != 0 || test[len] != ':';
        for (const char *const *name = tests; *name != NULL && !is_there; name++)
            is_there = is_of(&rows[i], *name, strlen(*name));
        ck_assert_msg(is_there, "there is no test %s", test);
    }
    for (; *tests != NULL; tests++)
        row_of(*tests);
}

// --- what it says

static bool has_line(const char *path, const char *glob) {
    if (access(path, R_OK) != 0) return false;
    char *text = read_file(path), *rest;
    bool is_there = false;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL && !is_there;
         line = strtok_r(NULL, "\n", &rest))
        is_there = glob_matches(glob, line);
    free(text);
    return is_there;
}

bool rig_has_said(const char *text) {
    return has_line(rig.errors, text) || has_line(rig.log, text);
}

// `job <id> is paused` becomes *job * is paused*.
static char *glob_of(const char *text, size_t len) {
    struct buf glob = {0};
    buf_adds(&glob, "*");
    for (size_t i = 0; i < len; i++) {
        const char *end = text[i] == '<' ? memchr(text + i, '>', len - i) : NULL;
        if (end != NULL) {
            buf_adds(&glob, "*");
            i = (size_t)(end - text);
            continue;
        }
        if (strchr("*?[\\", text[i]) != NULL) buf_adds(&glob, "\\");
        buf_add(&glob, text + i, 1);
    }
    buf_adds(&glob, "*");
    return buf_take(&glob);
}

// Every text that stands between backticks.
void rig_said(const char *test) {
    const char *at = row_of(test)->columns[ROW_SAYS];
    ck_assert_msg(strchr(at, '`') != NULL, "the row of %s says nothing", test);
    while ((at = strchr(at, '`')) != NULL) {
        const char *end = strchr(++at, '`');
        ck_assert_ptr_nonnull(end);
        char *glob = glob_of(at, (size_t)(end - at));
        while (!rig_has_said(glob)) { // until Check's patience ends, where it runs
            ck_assert_msg(rig.orchestrator.pid != 0, "%s has not said %s", test, glob);
            poll(NULL, 0, 1);
        }
        free(glob);
        at = end + 1;
    }
}

void rig_exit(const char *test, int code) {
    char expected[32];
    const char *does = row_of(test)->columns[ROW_DOES];
    snprintf(expected, sizeof expected, "exit code %d", code);
    ck_assert_msg(strstr(does, expected) != NULL, "%s: %s, and its row says: %s", test, expected,
                  does);
}

// --- the machine

void rig_disk(enum disk_mode mode) {
    const char byte = (char)mode;
    ck_assert_int_eq(pwrite(rig.disk, &byte, 1, 0), 1);
}

static int make_file(const char *name, const void *bytes, size_t len) {
    const int fd = open(folder_path(rig.dir, name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
    return fd;
}

static void make_machine(void) {
    const struct machine well = {0};
    const char mode = DISK_OK;
    rig.disk = make_file("disk", &mode, 1);
    const int fd = make_file("machine", &well, sizeof well);
    void *page = mmap(NULL, sizeof well, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(page, MAP_FAILED);
    close(fd);
    rig.machine = page;
}

void rig_fail_log(void) {
    snprintf(rig.disk_folder, sizeof rig.disk_folder, "%s/log", rig.dir);
}

// --- life

void rig_set_up(void) {
    static const char network[] =
        "sites: [earth]\ndev_types: {leaf: {count: 6, rack: 100, per_rack: 3}}\n"
        "latency: {login: 0, get_version: 0, install_os_version: 500ms, logout: 0}\n";
    rig = (struct rig){.dir = "/tmp/e2e-rig-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(rig.dir));
    snprintf(rig.store, sizeof rig.store, "%s/state/a.db", rig.dir);
    snprintf(rig.log, sizeof rig.log, "%s/log/a.log", rig.dir);
    snprintf(rig.errors, sizeof rig.errors, "%s/errors", rig.dir);
    snprintf(rig.disk_folder, sizeof rig.disk_folder, "%s/state", rig.dir);
    ck_assert_int_eq(mkdir(folder_path(rig.dir, "state"), 0700), 0);
    ck_assert_int_eq(mkdir(folder_path(rig.dir, "log"), 0700), 0);
    make_machine();
    close(make_file("network.yaml", network, sizeof network - 1));
    read_rows();
    rig.simulator =
        program_start("simulator", ARGS("--devices", "127.0.0.1:0", "--admin", "127.0.0.1:0",
                                        "--network", folder_path(rig.dir, "network.yaml")));
    snprintf(rig.admin, sizeof rig.admin, "%s", rig.simulator.url);
}

void rig_tear_down(void) {
    if (rig.simulator.pid != 0) ck_assert_int_eq(program_stop(&rig.simulator), 0);
    munmap(rig.machine, sizeof *rig.machine);
    close(rig.disk);
    free(rows_text);
    folder_remove(rig.dir);
}

struct start {
    char path[256], inventory[128], preload[512], disk[128], folder[128], machine[128], asan[512];
    const char *argv[40], *environment[8];
    struct daemon_command command;
};

static void prepare(struct start *s, const char *const *args) {
    const char *build = getenv("BUILD"), *asan = getenv("ASAN_OPTIONS");
    if (build == NULL) build = "build";
    snprintf(s->path, sizeof s->path, "%s/orchestrator", build);
    snprintf(s->inventory, sizeof s->inventory, "%s/inventory/", rig.admin);
    snprintf(s->preload, sizeof s->preload, "LD_PRELOAD=%s/machine.so:%s/disk.so", build, build);
    snprintf(s->disk, sizeof s->disk, "DISK_MODE=%s/disk", rig.dir);
    snprintf(s->folder, sizeof s->folder, "DISK_FOLDER=%s", rig.disk_folder);
    snprintf(s->machine, sizeof s->machine, "MACHINE=%s/machine", rig.dir);
    snprintf(s->asan, sizeof s->asan, "ASAN_OPTIONS=%s:verify_asan_link_order=0",
             asan == NULL ? "" : asan);
    const char *const own[] = {"--listen",          "127.0.0.1:0", "--inventory", s->inventory,
                               "--state",           rig.store,     "--log",       rig.log,
                               "--install-timeout", "5s"};
    static const char *const full[] = {"/bin/sh", "-c", "exec \"$@\" >/dev/full", "sh"};
    size_t count = 0;
    for (size_t i = 0; i < COUNT(full) && rig.has_full_stdout; i++)
        s->argv[count++] = full[i];
    s->argv[count++] = s->path;
    for (size_t i = 0; i < COUNT(own); i++)
        s->argv[count++] = own[i];
    for (; args != NULL && *args != NULL; args++)
        s->argv[count++] = *args;
    s->argv[count] = NULL;
    const char *const environment[] = {s->preload, s->disk, s->folder, s->machine, s->asan, NULL};
    memcpy(s->environment, environment, sizeof environment);
    s->command = (struct daemon_command){
        .name = "orchestrator",
        .process = {.argv = s->argv, .stderr_path = rig.errors, .environment = s->environment},
        .patience_s = PATIENCE_S};
}

void rig_start(const char *const *args) {
    struct start s;
    struct daemon d;
    struct error err;
    prepare(&s, args);
    ck_assert_msg(daemon_start(&d, &s.command, &err) == 0, "%s", err.text);
    rig.orchestrator = (struct program){.pid = d.process.pid, .out = d.process.out};
    snprintf(rig.api, sizeof rig.api, "%s", d.url);
}

int rig_start_in_vain(const char *const *args) {
    struct start s;
    struct process process;
    struct error err;
    prepare(&s, args);
    ck_assert_msg(process_start(&process, &s.command.process, &err) == 0, "%s", err.text);
    struct program p = {.pid = process.pid, .out = process.out};
    return program_wait(&p);
}

static int end_by_signal(int signum) {
    struct process process = {rig.orchestrator.pid, rig.orchestrator.out};
    struct process_end end;
    struct error err;
    ck_assert_msg(process_end(&process, signum, PATIENCE_S, &end, &err) == 0, "%s", err.text);
    ck_assert_msg(WIFSIGNALED(end.status), "it ended by itself");
    rig.orchestrator = (struct program){0};
    return WTERMSIG(end.status);
}

void rig_kill(void) {
    ck_assert_int_eq(end_by_signal(SIGKILL), SIGKILL);
}

int rig_await_signal(void) {
    return end_by_signal(0);
}

int rig_end(void) {
    const int code = program_stop(&rig.orchestrator);
    rig.orchestrator = (struct program){0};
    return code;
}

// --- jobs

static struct answer post(const char *key, bool is_async) {
    char header[80];
    snprintf(header, sizeof header, "Idempotency-Key: %s", key);
    return http_send("POST", rig.api, "/upgrade-os/",
                     ARGS("Content-Type: application/json", header,
                          is_async ? "Prefer: respond-async" : "Prefer: wait=1000"),
                     body);
}

void rig_begin(void) {
    struct answer a = post("first", true);
    ck_assert_msg(a.status == 202, "%ld %s", a.status, a.body);
    const char *location = answer_header(&a, "Location");
    ck_assert_int_eq(sscanf(location, "/jobs/%63[^/]/", rig.id), 1);
    answer_free(&a);
    await_event(rig.admin, "install_os_version", "begun", 1);
}

long rig_post(const char *key, char detail[512]) {
    struct answer a = post(key, true);
    snprintf(detail, 512, "%s", a.body == NULL ? "" : a.body);
    const long status = a.status;
    answer_free(&a);
    return status;
}

static void assert_installed_once(void) {
    cJSON *answer = get_json(rig.admin, "/devices/");
    const cJSON *device;
    cJSON_ArrayForEach(device, cJSON_GetObjectItem(answer, "devices")) {
        const char *name = cJSON_GetObjectItem(device, "name")->valuestring;
        const double installs = cJSON_GetObjectItem(device, "installs")->valuedouble;
        ck_assert_msg(installs <= 1, "%s was installed %g times", name, installs);
    }
    cJSON_Delete(answer);
}

void rig_await_over(void) {
    char path[96];
    bool is_over = false;
    snprintf(path, sizeof path, "/jobs/%s/", rig.id);
    while (!is_over) {
        cJSON *job = get_json(rig.api, path);
        is_over = strcmp(cJSON_GetObjectItem(job, "state")->valuestring, "done") == 0;
        cJSON_Delete(job);
    }
}

static void await_ready(void) {
    struct answer a = {0};
    do {
        answer_free(&a);
        a = http_get(rig.api, "/readyz");
    } while (a.status != 200);
    answer_free(&a);
}

void rig_assert_done(size_t changed, size_t failed) {
    struct truth truth = {0};
    struct error err;
    await_ready();
    struct answer a = post("first", false); // the same job: answered when it is over
    ck_assert_msg(a.status == 200, "%ld %s", a.status, a.body);
    answer_free(&a);
    int rc = truth_check(rig.api, rig.admin, rig.id, "5.9.1", &truth, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_msg(truth.hosts == RIG_HOSTS && truth.changed == changed && truth.failed == failed,
                  "%zu changed, %zu failed, %zu skipped\n%s", truth.changed, truth.failed,
                  truth.skipped, truth.why.data == NULL ? "" : truth.why.data);
    buf_deinit(&truth.why);
    assert_installed_once();
}
