#include "orchestrator/cli_commands.h"

#include "common/clock.h"
#include "common/completion.h"
#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"
#include "orchestrator/access.h"
#include "orchestrator/cli_request.h"
#include "orchestrator/cli_timeline.h"
#include "orchestrator/cli_view.h"
#include "orchestrator/cli_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { ID_SHOWN = 8, RETRY_MS = 500 };

static struct cli_service service_of(const struct cli *cli) {
    return (struct cli_service){.nodes = cli->nodes, .trust = &cli->trust, .fd = -1};
}

// --- what is shown

static void print(const struct buf *text) {
    if (text->len > 0) fwrite(text->data, 1, text->len, stdout);
}

static int complain(const struct cli *cli, int exit_code, const char *text) {
    fflush(stdout);
    fprintf(stderr, "orchestrator %s: %s\n", cli->command, text);
    return exit_code;
}

// The service speaks of fields; whoever reads this has given options.
static int complain_of_request(const struct cli *cli, int exit_code, const struct error *err) {
    static const struct cli_field fields[] = {
        {"filter_hosts", "host"}, // the first: retry has no such option
        {"filter_sites", "site"},
        {"filter_dev_types", "dev-type"},
        {"version", "version"},
        {"workers", "workers"},
        {"canaries", "canaries"},
        {"max_failures", "max-failures"},
        {"host_timeout", "host-timeout"},
        {"job_timeout", "job-timeout"},
        {"downgrade", "downgrade"},
        {"expect_hosts", "expect-hosts"},
        {"states", "state"},
        {"state", "state"},
    };
    char text[ERROR_TEXT_MAX + 32];
    const size_t passed = strcmp(cli->command, "retry") == 0 ? 1 : 0;
    cli_request_explain(fields + passed, COUNT(fields) - passed, err->text, text, sizeof text);
    return complain(cli, exit_code, text);
}

// The end of a command line for another command about the same job.
static void add_hint(struct buf *out, const struct cli *cli, const char *what, const char *command,
                     const char *id) {
    const struct cli_nodes *nodes = cli->nodes;
    const bool is_default = nodes->count == 1 && strcmp(nodes->urls[0], CLI_URL) == 0;
    buf_addf(out, "%-10s orchestrator %s %.*s%s", what, command, ID_SHOWN, id,
             strcmp(command, "job") == 0 ? " --watch" : "");
    for (size_t i = 0; i < nodes->count && !is_default; i++)
        buf_addf(out, " --url %s", nodes->urls[i]);
    buf_adds(out, "\n");
}

static void trim_end(struct buf *text) {
    while (text->len > 0 && strchr(" \t\r\n", text->data[text->len - 1]) != NULL)
        text->data[--text->len] = '\0';
}

// As GET /jobs/{id}/ gives it, and its report in it.
static int print_json(const struct cli *cli, const char *id, struct error *err) {
    const struct cli_service service = service_of(cli);
    struct buf job = {0}, path = {0};
    buf_addf(&path, "/jobs/%s/", id);
    int rc = cli_get(&service, path.data, &job, NULL, err);
    buf_adds(&path, "report/");
    trim_end(&job);
    if (rc == 0 && (job.len == 0 || job.data[job.len - 1] != '}')) {
        error_set(err, "the service's answer: expected an object");
        rc = CLI_EXIT_UNREACHED;
    }
    if (rc == 0) {
        job.len--;
        buf_adds(&job, ", \"report\": ");
        rc = cli_get(&service, path.data, &job, NULL, err);
        trim_end(&job);
        buf_adds(&job, "}\n");
    }
    if (rc == 0) print(&job);
    buf_deinit(&job);
    buf_deinit(&path);
    return rc;
}

// --- the hosts that failed or were skipped

struct rows {
    cJSON *list; // keeps what the hosts borrow
    struct cli_host *hosts;
    size_t count, cap;
};

static void take_row(void *arg, cJSON *row) {
    struct rows *rows = arg;
    struct error ignored;
    cJSON *kept = cJSON_Duplicate(row, true);
    cJSON_AddItemToArray(rows->list, kept);
    rows->hosts = mem_grow(rows->hosts, &rows->cap, rows->count + 1, sizeof *rows->hosts);
    if (cli_host_read(kept, &rows->hosts[rows->count], &ignored) == 0) rows->count++;
}

static int add_table(const struct cli *cli, const struct cli_job *job, struct buf *out,
                     const struct cli_style *style, struct error *err) {
    const struct cli_service service = service_of(cli);
    struct rows rows = {.list = cJSON_CreateArray()};
    int rc = 0;
    if (job->counts[HOST_FAILED] > 0)
        rc = cli_each_host(&service, job->id, "failed", take_row, &rows, err);
    if (rc == 0 && job->counts[HOST_SKIPPED] > 0)
        rc = cli_each_host(&service, job->id, "skipped", take_row, &rows, err);
    cli_view_table(out, rows.hosts, rows.count, style);
    cJSON_Delete(rows.list);
    free(rows.hosts);
    return rc;
}

// --- a job that is watched

static void print_heading(const struct cli *cli, const struct cli_job *job) {
    struct buf text = {0};
    if (cli->has_json) return;
    cli_view_heading(&text, job);
    print(&text);
    buf_deinit(&text);
    fflush(stdout); // the console writes past stdio
}

static int print_end(const struct cli *cli, const struct cli_job *job,
                     const struct cli_style *style, struct error *err) {
    struct buf text = {0};
    const int rc = add_table(cli, job, &text, style, err);
    cli_view_end(&text, job, style);
    if (job->counts[HOST_FAILED] + job->counts[HOST_SKIPPED] > 0)
        add_hint(&text, cli, "try again:", "retry", job->id);
    print(&text);
    buf_deinit(&text);
    return rc;
}

static int say_left(const struct cli *cli, const char *id) {
    struct buf text = {0};
    buf_addf(&text, "job %s goes on\n", id);
    add_hint(&text, cli, "watch it:", "job", id);
    add_hint(&text, cli, "cancel it:", "cancel", id);
    fflush(stdout);
    fputs(text.data, stderr);
    buf_deinit(&text);
    return CLI_EXIT_LEFT;
}

static int watch(const struct cli *cli, struct console *console, const char *id) {
    const struct cli_watching how = {.nodes = cli->nodes,
                                     .trust = &cli->trust,
                                     .reconnect_ms = cli->reconnect_ms,
                                     .is_silent = cli->has_json,
                                     .console = console};
    struct cli_job job = {0};
    struct error err;
    const struct cli_style style = console->style;
    const int code = cli_watch(&how, id, &job, &err);
    console_close(console);
    int rc = 0;
    if (code == CLI_EXIT_LEFT)
        rc = say_left(cli, id);
    else if (code > EXIT_FAILURE || job.state != JOB_DONE)
        rc = complain(cli, code, err.text);
    else if (cli->has_json)
        rc = print_json(cli, id, &err) == 0 ? 0 : complain(cli, CLI_EXIT_UNREACHED, err.text);
    else if (print_end(cli, &job, &style, &err) != 0)
        complain(cli, code, err.text);
    cli_job_deinit(&job);
    return rc == 0 ? code : rc;
}

// --- a job that is made

// Whatever happens on the way, the same key is the same job: it never begins twice.
static cJSON *headers_of_new_job(void) {
    unsigned char bytes[16];
    char key[2 * sizeof bytes + 1];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) abort();
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(key + 2 * i, 3, "%02x", bytes[i]);
    cJSON *headers = cJSON_CreateObject();
    cJSON_AddStringToObject(headers, "Prefer", "respond-async");
    cJSON_AddStringToObject(headers, "Idempotency-Key", key);
    return headers;
}

// Asked again where the answer was lost: the service may have begun what it did not say.
static int ask_for_job(const struct cli *cli, struct console *console, const char *path,
                       cJSON **answer, struct error *err) {
    const struct cli_service service = {.nodes = cli->nodes,
                                        .trust = &cli->trust,
                                        .on_turn = cli_watch_is_wanted,
                                        .arg = console,
                                        .fd = console->signals};
    cJSON *headers = headers_of_new_job();
    const struct cli_ask ask = {
        .method = "POST", .path = path, .body = cli->body, .headers = headers};
    const uint64_t until_ms = clock_boot_ms() + cli->reconnect_ms;
    bool is_in_doubt = false;
    int rc = cli_talk(&service, &ask, NULL, answer, &is_in_doubt, err);
    while (rc == CLI_EXIT_UNREACHED && is_in_doubt && clock_boot_ms() < until_ms) {
        rc = console_wait(console, RETRY_MS) && !cli_watch_is_wanted(console)
                 ? CLI_EXIT_LEFT
                 : cli_talk(&service, &ask, NULL, answer, &is_in_doubt, err);
    }
    if (rc == CLI_EXIT_LEFT) error_set(err, "ended before the service answered");
    if (is_in_doubt && rc != 0)
        error_from(err, "the job may have begun, 'orchestrator jobs' tells");
    cJSON_Delete(headers);
    return rc;
}

static int make_job(const struct cli *cli, const char *path) {
    struct console console;
    struct cli_job job = {0};
    struct error err;
    cJSON *answer = NULL;
    if (console_open(&console, &err) != 0) return complain(cli, EXIT_FAILURE, err.text);
    int rc = ask_for_job(cli, &console, path, &answer, &err);
    if (rc == 0 && cli_job_read(answer, &job, &err) != 0) {
        error_from(&err, "the service's answer");
        rc = CLI_EXIT_UNREACHED;
    }
    cJSON_Delete(answer);
    if (rc == 0 && !cli->is_detached) {
        print_heading(cli, &job);
        rc = watch(cli, &console, job.id);
        cli_job_deinit(&job);
        return rc;
    }
    console_close(&console);
    if (rc != 0)
        rc = complain_of_request(cli, rc, &err);
    else if (!cli->has_json)
        printf("%s\n", job.id);
    else if (print_json(cli, job.id, &err) != 0)
        rc = complain(cli, CLI_EXIT_UNREACHED, err.text);
    cli_job_deinit(&job);
    return rc;
}

static int dry_run(const struct cli *cli) {
    const struct cli_service service = service_of(cli);
    const struct cli_ask ask = {
        .method = "POST", .path = "/upgrade-os/", .body = cli->body, .is_harmless = true};
    struct buf answer = {0}, text = {0};
    struct error err;
    cJSON *json = NULL;
    int rc = cli_talk(&service, &ask, &answer, &json, NULL, &err);
    if (rc == 0 && !cli->has_json && cli_view_dry_run(&text, json, &err) != 0) {
        error_from(&err, "the service's answer");
        rc = CLI_EXIT_UNREACHED;
    }
    trim_end(&answer);
    buf_adds(&answer, "\n");
    if (rc != 0)
        complain_of_request(cli, rc, &err);
    else
        print(cli->has_json ? &answer : &text);
    cJSON_Delete(json);
    buf_deinit(&answer);
    buf_deinit(&text);
    return rc;
}

int cli_upgrade_os(void *arg) {
    const struct cli *cli = arg;
    if (!cJSON_HasObjectItem(cli->body, "version"))
        return complain(cli, CLI_EXIT_REFUSED, "--version is missing: which one is to run?");
    return cJSON_HasObjectItem(cli->body, "dry_run") ? dry_run(cli) : make_job(cli, "/upgrade-os/");
}

// --- a job that is there

// Its ID, from what was given of it; else the exit code.
static int find(const struct cli *cli, char id[JOB_ID_MAX]) {
    const struct cli_service service = service_of(cli);
    struct error err;
    const int rc = cli_find_job(&service, cli->argument, id, &err);
    return rc == 0 ? 0 : complain(cli, rc, err.text);
}

int cli_retry(void *arg) {
    const struct cli *cli = arg;
    char id[JOB_ID_MAX], path[64];
    const int rc = find(cli, id);
    if (rc != 0) return rc;
    snprintf(path, sizeof path, "/jobs/%s/retry/", id);
    return make_job(cli, path);
}

// As it is told now; object (which may be NULL) is its JSON, the caller's.
static int fetch(const struct cli *cli, const char *id, struct cli_job *job, cJSON **object,
                 struct error *err) {
    const struct cli_service service = service_of(cli);
    struct buf path = {0};
    cJSON *answer = NULL;
    buf_addf(&path, "/jobs/%s/", id);
    int rc = cli_get(&service, path.data, NULL, &answer, err);
    if (rc == 0 && cli_job_read(answer, job, err) != 0) {
        error_from(err, "the service's answer");
        rc = CLI_EXIT_UNREACHED;
    }
    if (rc == 0 && object != NULL)
        *object = answer;
    else
        cJSON_Delete(answer);
    buf_deinit(&path);
    return rc;
}

static int show_job(const struct cli *cli, const char *id) {
    struct buf text = {0}, request = {0};
    struct cli_job job = {0};
    struct error err;
    cJSON *object = NULL;
    int rc = fetch(cli, id, &job, &object, &err);
    if (rc == 0 && cli->has_json) {
        rc = print_json(cli, id, &err);
    } else if (rc == 0) {
        char *asked = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(object, "request"));
        buf_adds(&request, asked == NULL ? "" : asked);
        cJSON_free(asked);
        text_line(request.data);
        cli_view_job(&text, &job, request.data, clock_wall_ms());
        rc = add_table(cli, &job, &text, &(struct cli_style){0}, &err);
        print(&text);
    }
    if (rc == 0)
        rc = cli_job_is_well(&job) ? EXIT_SUCCESS : EXIT_FAILURE;
    else
        complain(cli, rc, err.text);
    cJSON_Delete(object);
    cli_job_deinit(&job);
    buf_deinit(&text);
    buf_deinit(&request);
    return rc;
}

static int watch_job(const struct cli *cli, const char *id) {
    struct console console;
    struct cli_job job = {0};
    struct error err;
    int rc = fetch(cli, id, &job, NULL, &err);
    if (rc == 0 && console_open(&console, &err) != 0) rc = EXIT_FAILURE;
    if (rc == 0) print_heading(cli, &job);
    cli_job_deinit(&job);
    return rc == 0 ? watch(cli, &console, id) : complain(cli, rc, err.text);
}

// What the job came to stays the exit code.
static int draw(const struct cli *cli, const char *id, int code) {
    struct error err;
    const int rc = cli_timeline(cli_nodes_url(cli->nodes), &cli->trust, id, cli->timeline, &err);
    return rc == 0 ? code : complain(cli, CLI_EXIT_REFUSED, err.text);
}

int cli_job(void *arg) {
    const struct cli *cli = arg;
    char id[JOB_ID_MAX];
    const int rc = find(cli, id);
    if (rc != 0) return rc;
    const int code = cli->is_watched ? watch_job(cli, id) : show_job(cli, id);
    return cli->timeline == NULL || code > EXIT_FAILURE ? code : draw(cli, id, code);
}

static int control(const struct cli *cli, const char *what) {
    const struct cli_service service = service_of(cli);
    char id[JOB_ID_MAX], path[64];
    struct cli_job job = {0};
    struct error err;
    cJSON *answer = NULL;
    int rc = find(cli, id);
    if (rc != 0) return rc;
    snprintf(path, sizeof path, "/jobs/%s/%s/", id, what);
    const struct cli_ask ask = {.method = "POST", .path = path};
    rc = cli_talk(&service, &ask, NULL, &answer, NULL, &err);
    if (rc == 0 && cli_job_read(answer, &job, &err) != 0) {
        error_from(&err, "the service's answer");
        rc = CLI_EXIT_UNREACHED;
    }
    if (rc == 0 && cli->has_json) rc = print_json(cli, id, &err);
    if (rc != 0) {
        complain(cli, rc, err.text);
    } else if (!cli->has_json) {
        struct buf text = {0};
        cli_view_control(&text, &job);
        print(&text);
        buf_deinit(&text);
    }
    cJSON_Delete(answer);
    cli_job_deinit(&job);
    return rc;
}

int cli_pause(void *arg) {
    return control(arg, "pause");
}

int cli_resume(void *arg) {
    return control(arg, "resume");
}

int cli_cancel(void *arg) {
    return control(arg, "cancel");
}

// --- all jobs

static void print_list(const cJSON *jobs) {
    struct cli_listed *list = mem_array((size_t)cJSON_GetArraySize(jobs) + 1, sizeof *list);
    struct buf text = {0};
    struct error ignored;
    size_t count = 0;
    const cJSON *job;
    cJSON_ArrayForEach(job, jobs) {
        struct cli_listed *listed = &list[count];
        if (cli_job_read(job, &listed->job, &ignored) != 0) continue; // a row that was spoilt
        const time_t created = (time_t)(listed->job.created_ms / 1000);
        struct tm local = {0};
        localtime_r(&created, &local);
        strftime(listed->created, sizeof listed->created, "%Y-%m-%d %H:%M:%S", &local);
        count++;
    }
    cli_view_jobs(&text, list, count, clock_wall_ms());
    print(&text);
    buf_deinit(&text);
    for (size_t i = 0; i < count; i++)
        cli_job_deinit(&list[i].job);
    free(list);
}

int cli_jobs(void *arg) {
    const struct cli *cli = arg;
    const struct cli_service service = service_of(cli);
    struct buf path = {0}, answer = {0};
    struct error err;
    cJSON *json = NULL;
    buf_addf(&path, "/jobs/?limit=%llu", (unsigned long long)cli->limit);
    if (cli->state != NULL) {
        buf_adds(&path, "&state=");
        cli_add_encoded(&path, cli->state);
    }
    const int rc = cli_get(&service, path.data, &answer, &json, &err);
    if (rc != 0)
        complain_of_request(cli, rc, &err);
    else if (cli->has_json)
        print(&answer);
    else
        print_list(cJSON_GetObjectItemCaseSensitive(json, "jobs"));
    cJSON_Delete(json);
    buf_deinit(&path);
    buf_deinit(&answer);
    return rc;
}

// --- completion

int cli_completion(void *arg) {
    const struct cli *cli = arg;
    struct buf script = {0};
    if (strcmp(cli->argument, "bash") == 0)
        completion_bash(cli->program, &script);
    else if (strcmp(cli->argument, "zsh") == 0)
        completion_zsh(cli->program, &script);
    else
        completion_fish(cli->program, &script);
    print(&script);
    buf_deinit(&script);
    return EXIT_SUCCESS;
}

// --- tokens

int cli_token(void *arg) {
    const struct cli *cli = arg;
    unsigned char bytes[ACCESS_TOKEN_BYTES];
    char token[ACCESS_TOKEN_TEXT];
    struct buf line = {0};
    struct error err;
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return complain(cli, EXIT_FAILURE, "there are no random bytes to be had");
    access_token(bytes, token);
    const int rc = access_line(cli->argument, cli->role, token, &line, &err);
    if (rc != 0) return complain(cli, CLI_EXIT_REFUSED, err.text);
    printf("%s\n%s", token, line.data);
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(token, sizeof token);
    buf_deinit(&line);
    return EXIT_SUCCESS;
}
