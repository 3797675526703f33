#include "orchestrator/cli.h"

#include "common/count.h"
#include "common/duration.h"
#include "common/file.h"
#include "common/program.h"
#include "common/secret.h"
#include "orchestrator/cli_commands.h"
#include "orchestrator/cli_request.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 20, LIMIT_MAX = 1000, RECONNECT_MS = 120000 };

// --- options

static cJSON *body_of(void *config) {
    struct cli *cli = config;
    if (cli->body == NULL) cli->body = cJSON_CreateObject();
    return cli->body;
}

static int set_version(void *config, const char *value, struct error *err) {
    (void)err;
    cJSON_DeleteItemFromObject(body_of(config), "version");
    cJSON_AddStringToObject(body_of(config), "version", value);
    return 0;
}

static int add_site(void *config, const char *value, struct error *err) {
    return cli_request_add(body_of(config), "filter_sites", value, err);
}

static int add_dev_type(void *config, const char *value, struct error *err) {
    return cli_request_add(body_of(config), "filter_dev_types", value, err);
}

static int add_host(void *config, const char *value, struct error *err) {
    return cli_request_add(body_of(config), "filter_hosts", value, err);
}

static int add_states(void *config, const char *value, struct error *err) {
    return cli_request_add(body_of(config), "states", value, err);
}

static int set_dry_run(void *config, const char *value, struct error *err) {
    (void)value;
    (void)err;
    if (!cJSON_HasObjectItem(body_of(config), "dry_run"))
        cJSON_AddTrueToObject(body_of(config), "dry_run");
    return 0;
}

static int set_expect_hosts(void *config, const char *value, struct error *err) {
    return cli_request_set(body_of(config), "expect_hosts", value, err);
}

static int set_workers(void *config, const char *value, struct error *err) {
    return cli_request_set(body_of(config), "workers", value, err);
}

static int set_canaries(void *config, const char *value, struct error *err) {
    return cli_request_set_or_add(body_of(config), "canaries", value, err);
}

static int set_max_failures(void *config, const char *value, struct error *err) {
    return cli_request_set(body_of(config), "max_failures", value, err);
}

static int set_host_timeout(void *config, const char *value, struct error *err) {
    return cli_request_set(body_of(config), "host_timeout", value, err);
}

static int set_job_timeout(void *config, const char *value, struct error *err) {
    return cli_request_set(body_of(config), "job_timeout", value, err);
}

static int set_downgrade(void *config, const char *value, struct error *err) {
    return cli_request_set(body_of(config), "downgrade", value, err);
}

static int set_detach(void *config, const char *value, struct error *err) {
    (void)value;
    (void)err;
    ((struct cli *)config)->is_detached = true;
    return 0;
}

static int set_watch(void *config, const char *value, struct error *err) {
    (void)value;
    (void)err;
    ((struct cli *)config)->is_watched = true;
    return 0;
}

static int set_timeline(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct cli *)config)->timeline = value;
    return 0;
}

static int set_state(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct cli *)config)->state = value;
    return 0;
}

static int set_limit(void *config, const char *value, struct error *err) {
    return options_number(value, 1, LIMIT_MAX, &((struct cli *)config)->limit, err);
}

static int set_json(void *config, const char *value, struct error *err) {
    (void)value;
    (void)err;
    ((struct cli *)config)->has_json = true;
    return 0;
}

static int set_reconnect(void *config, const char *value, struct error *err) {
    uint64_t us;
    const int rc = duration_parse(value, &us, err);
    if (rc == 0) ((struct cli *)config)->reconnect_ms = us / 1000;
    return rc;
}

static int set_url(void *config, const char *value, struct error *err) {
    if (strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0)
        return error_set(err, "'%.100s': expected a URL, such as " CLI_URL, value);
    struct cli_nodes *nodes = ((struct cli *)config)->nodes;
    if (nodes->count == CLI_NODES_MAX) return error_set(err, "more than %d", CLI_NODES_MAX);
    nodes->urls[nodes->count++] = value;
    return 0;
}

static int set_token_file(void *config, const char *value, struct error *err) {
    struct cli *cli = config;
    secret_free(cli->token);
    cli->token = NULL;
    int rc = secret_load(value, &cli->token, err);
    cli->trust.token = cli->token;
    return rc;
}

static int set_ca(void *config, const char *value, struct error *err) {
    ((struct cli *)config)->trust.ca = value;
    return file_probe(value, FILE_BYTES_MAX, err);
}

static int set_argument(void *config, const char *value, struct error *err) {
    struct cli *cli = config;
    if (cli->argument != NULL) return error_set(err, "unexpected argument '%.100s'", value);
    cli->argument = value;
    return 0;
}

static int set_shell(void *config, const char *value, struct error *err) {
    if (strcmp(value, "bash") != 0 && strcmp(value, "zsh") != 0 && strcmp(value, "fish") != 0)
        return error_set(err, "'%.100s': expected bash, zsh or fish", value);
    return set_argument(config, value, err);
}

static int set_name_and_role(void *config, const char *value, struct error *err) {
    struct cli *cli = config;
    if (cli->argument == NULL) return set_argument(config, value, err);
    if (cli->role != NULL) return error_set(err, "unexpected argument '%.100s'", value);
    cli->role = value;
    return 0;
}

// --- commands

// clang-format off
#define AT \
    {"url", "URL", "ask the orchestrator there; given again: the next, where one is not reached (" \
     CLI_URL ")", set_url}
#define TRUST \
    {"token-file", "FILE", "say who asks, by the token on its first line", set_token_file}, \
    {"ca", "FILE", "trust these certificates (PEM) for https (the system's)", set_ca}
#define JSON \
    {"json", NULL, "print the job as GET /jobs/{id}/ gives it, with its report", set_json}
#define WATCHED \
    {"reconnect", "DURATION", "look for a service that is lost for so long (2m)", set_reconnect}
#define DETACH \
    {"detach", NULL, "print the job's ID, and do not watch it", set_detach}
// clang-format on

static const struct option_spec upgrade_specs[] = {
    {"version", "VERSION", "the version that is to run: 5.3.1", set_version},
    {"site", "SITE", "only hosts of these sites (repeatable, or with commas)", add_site},
    {"dev-type", "TYPE", "only hosts of these types (repeatable, or with commas)", add_dev_type},
    {"host", "GLOB", "only hosts of these names (repeatable, or with commas)", add_host},
    {"dry-run", NULL, "tell what would be done; nothing is contacted", set_dry_run},
    {"expect-hosts", "N", "begin nothing where another number is selected", set_expect_hosts},
    {"canaries", "N|GLOB", "the first of N groups, or these hosts, go before all others",
     set_canaries},
    {"max-failures", "N|N%", "stop once more hosts have failed", set_max_failures},
    {"downgrade", "allow|refuse", "whether a host that runs a newer version is changed",
     set_downgrade},
    {"workers", "N", "work on this many hosts at the same time", set_workers},
    {"host-timeout", "DURATION", "a host that was sent no install by then has failed",
     set_host_timeout},
    {"job-timeout", "DURATION", "nothing new starts so long after the job's start",
     set_job_timeout},
    DETACH,
    JSON,
    WATCHED,
    TRUST,
    AT,
};

static const struct option_spec jobs_specs[] = {
    {"state", "waiting|running|paused|cancelling|done", "only those", set_state},
    {"limit", "N", "list this many at most, the newest first (20)", set_limit},
    {"json", NULL, "print them as GET /jobs/ gives them", set_json},
    TRUST,
    AT,
};

static const struct option_spec job_specs[] = {
    {"watch", NULL, "follow it until it is done", set_watch},
    {"timeline", "FILE.svg", "write a picture of it: each group a row, each host a bar",
     set_timeline},
    JSON,
    WATCHED,
    TRUST,
    AT,
};

static const struct option_spec control_specs[] = {JSON, TRUST, AT};

static const struct option_spec retry_specs[] = {
    {"state", "failed|skipped", "only those (repeatable; both)", add_states},
    DETACH,
    JSON,
    WATCHED,
    TRUST,
    AT,
};

#define OF_A_JOB                                                                                   \
    .program = "orchestrator", .arguments = "ID", .argument = set_argument, .arguments_min = 1

static const struct options commands[] = {
    {.program = "orchestrator",
     .command = "upgrade-os",
     .summary = "upgrades hosts, and shows how far it is",
     .specs = upgrade_specs,
     .count = COUNT(upgrade_specs),
     .run = cli_upgrade_os},
    {.program = "orchestrator",
     .command = "jobs",
     .summary = "lists jobs, the newest first",
     .specs = jobs_specs,
     .count = COUNT(jobs_specs),
     .run = cli_jobs},
    {OF_A_JOB, .command = "job",
     .summary = "shows a job, and which hosts failed or were skipped, and why", .specs = job_specs,
     .count = COUNT(job_specs), .run = cli_job},
    {OF_A_JOB, .command = "pause", .summary = "lets no install begin until the job is resumed",
     .specs = control_specs, .count = COUNT(control_specs), .run = cli_pause},
    {OF_A_JOB, .command = "resume", .summary = "lets a paused job go on", .specs = control_specs,
     .count = COUNT(control_specs), .run = cli_resume},
    {OF_A_JOB, .command = "cancel",
     .summary = "ends a job: what is being installed is waited for, all else skipped",
     .specs = control_specs, .count = COUNT(control_specs), .run = cli_cancel},
    {OF_A_JOB, .command = "retry",
     .summary = "upgrades the hosts of a job that failed or were skipped, once more",
     .specs = retry_specs, .count = COUNT(retry_specs), .run = cli_retry},
    {.program = "orchestrator",
     .command = "token",
     .arguments = "NAME read|operate",
     .summary = "makes a token: prints it, and the line for the service's --tokens file",
     .argument = set_name_and_role,
     .arguments_min = 2,
     .run = cli_token},
    {.program = "orchestrator",
     .command = "completion",
     .arguments = "bash|zsh|fish",
     .summary = "prints what lets a shell complete these commands: source <(...), or ... | source",
     .argument = set_shell,
     .arguments_min = 1,
     .run = cli_completion},
};

const struct option_commands cli_commands = {
    .program = "orchestrator",
    .summary = "With a command it is a client of a service that runs. An ID may be cut short where "
               "no other\njob's begins so.",
    .list = commands,
    .count = COUNT(commands),
    .notes =
        "Exit codes: 0 all completed, 1 some failed or were skipped, 2 the command line is wrong "
        "or the\nservice refuses it, 3 the service was not reached, 130 left running after "
        "Ctrl-C\n",
};

// A token that goes over a wire in the clear is everybody's.
static bool is_heard_on_the_way(const char *to) {
    static const char *const near[] = {"localhost", "127.0.0.1", "[::1]"};
    char *scheme = NULL, *host = NULL;
    bool is_near = false;
    CURLU *url = curl_url();
    if (url != NULL && curl_url_set(url, CURLUPART_URL, to, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        is_near = strcmp(scheme, "https") == 0;
        for (size_t i = 0; i < COUNT(near); i++)
            is_near = is_near || strcasecmp(host, near[i]) == 0;
    }
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(url);
    return !is_near;
}

// The first node on the way to which the token would be heard; NULL: none, or there is no token.
static const char *heard_at(const struct cli *cli) {
    for (size_t i = 0; i < cli->nodes->count && cli->token != NULL; i++)
        if (is_heard_on_the_way(cli->nodes->urls[i])) return cli->nodes->urls[i];
    return NULL;
}

int cli_main(const struct options *program, int argc, char **argv) {
    struct cli_nodes nodes = {.urls = {CLI_URL}};
    struct cli cli = {.program = program,
                      .command = argv[1],
                      .nodes = &nodes,
                      .limit = LIMIT,
                      .reconnect_ms = RECONNECT_MS};
    int code;
    const struct options *command = options_parse_command(&cli_commands, &cli, argc, argv, &code);
    if (nodes.count == 0) nodes.count = 1; // the one that stands there already
    const char *heard = heard_at(&cli);
    if (command != NULL && heard != NULL) {
        fprintf(stderr,
                "orchestrator %s: the token would be heard on the way to %s: ask for https://\n",
                cli.command, heard);
        code = OPTIONS_EXIT_USAGE;
    } else if (command != NULL) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        code = command->run(&cli);
        curl_global_cleanup();
    }
    secret_free(cli.token);
    cJSON_Delete(cli.body);
    return program_end("orchestrator", code);
}
