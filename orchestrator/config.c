#include "orchestrator/config.h"

#include "common/count.h"
#include "common/duration.h"
#include "common/file.h"
#include "common/http_tls.h"
#include "common/mem.h"
#include "common/program.h"
#include "common/secret.h"
#include "common/text.h"
#include "orchestrator/cli.h"
#include "orchestrator/page.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORKERS_MAX = 1000000,
    KEEP_JOBS = 1000,
    KEEP_JOBS_MAX = 1000000,
};

// --- options

static int set_listen(void *config, const char *value, struct error *err) {
    struct config *c = config;
    return address_parse(value, &c->api.listen, err);
}

// http://user:password@host/
static bool has_login(const char *source) {
    char *user = NULL;
    if (strstr(source, "://") == NULL) return false;
    CURLU *url = curl_url();
    const bool has = url != NULL && curl_url_set(url, CURLUPART_URL, source, 0) == CURLUE_OK &&
                     curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK;
    curl_free(user);
    curl_url_cleanup(url);
    return has;
}

static int set_inventory(void *config, const char *value, struct error *err) {
    struct config *c = config;
    if (*value == '\0') return error_set(err, "expected a URL, a file or a folder");
    if (has_login(value))
        return error_set(err,
                         "a user and a password in a URL are seen by everybody on this machine: "
                         "put them into ~/.netrc, for its host");
    c->api.inventory = value;
    return 0;
}

static int set_policy(void *config, const char *value, struct error *err) {
    struct config *c = config;
    struct policy policy;
    int rc = policy_load(&policy, value, err);
    if (rc != 0) return rc;
    policy_deinit(&c->policy);
    c->policy = policy;
    return 0;
}

static int set_count(unsigned *out, const char *value, unsigned max, struct error *err) {
    char *end;
    unsigned long n = strtoul(value, &end, 10);
    if (*end != '\0' || value[0] < '0' || value[0] > '9' || n < 1 || n > max)
        return error_set(err, "'%.40s': expected a number from 1 to %u", value, max);
    *out = (unsigned)n;
    return 0;
}

static int set_workers(void *config, const char *value, struct error *err) {
    return set_count(&((struct config *)config)->workers, value, WORKERS_MAX, err);
}

static int set_max_jobs(void *config, const char *value, struct error *err) {
    return set_count(&((struct config *)config)->max_jobs, value, WORKERS_MAX, err);
}

static int set_max_failures(void *config, const char *value, struct error *err) {
    return max_failures_parse(value, &((struct config *)config)->max_failures, err);
}

static int set_downgrade(void *config, const char *value, struct error *err) {
    return downgrade_parse(value, &((struct config *)config)->downgrade, err);
}

static int set_asks(void *config, const char *value, struct error *err) {
    return set_count(&((struct config *)config)->peers.asks, value, WORKERS_MAX, err);
}

static int set_peer_check(void *config, const char *value, struct error *err) {
    struct config *c = config;
    c->peers.check = strcmp(value, "on") == 0;
    if (c->peers.check || strcmp(value, "off") == 0) return 0;
    return error_set(err, "'%.40s': expected on or off", value);
}

static int set_peer_max_age(void *config, const char *value, struct error *err) {
    return duration_timeout_parse(value, &((struct config *)config)->peers.max_age_ms, err);
}

static int set_peer_wait(void *config, const char *value, struct error *err) {
    struct config *c = config;
    uint64_t us;
    int rc = duration_parse(value, &us, err);
    if (rc == 0) c->peers.wait_ms = us / 1000;
    return rc;
}

static int set_state(void *config, const char *value, struct error *err) {
    struct config *c = config;
    if (*value == '\0') return error_set(err, "expected a file, postgresql://..., or none");
    c->store.where = value;
    return 0;
}

static int set_allow_async(void *config, const char *value, struct error *err) {
    (void)value;
    (void)err;
    ((struct config *)config)->store.allows_async = true;
    return 0;
}

static int set_keep_jobs(void *config, const char *value, struct error *err) {
    unsigned count = 0;
    int rc = set_count(&count, value, KEEP_JOBS_MAX, err);
    if (rc == 0) ((struct config *)config)->store.keep_jobs = count;
    return rc;
}

static int set_limit(void *config, const char *value, struct error *err) {
    return limit_set(&((struct config *)config)->api.limits, value, err);
}

static int set_resume_within(void *config, const char *value, struct error *err) {
    struct config *c = config;
    uint64_t us;
    int rc = duration_parse(value, &us, err);
    if (rc == 0) c->api.resume_within_ms = us / 1000;
    return rc;
}

static int set_log(void *config, const char *value, struct error *err) {
    struct config *c = config;
    if (*value == '\0') return error_set(err, "expected a file, or - for stderr");
    c->log_path = value;
    return 0;
}

static int set_log_level(void *config, const char *value, struct error *err) {
    struct config *c = config;
    return log_level_parse(value, &c->log_level, err);
}

static int set_log_format(void *config, const char *value, struct error *err) {
    struct config *c = config;
    return log_format_parse(value, &c->log_format, err);
}

static int set_origin(void *config, const char *value, struct error *err) {
    struct config *c = config;
    const char *host = strstr(value, "://");
    if (host == NULL || host[3] == '\0' || strchr(host + 3, '/') != NULL)
        return error_set(err, "'%.100s': expected an origin, such as https://noc.example:8443",
                         value);
    if (c->api.origins_count == CONFIG_ORIGINS_MAX)
        return error_set(err, "%d origins at most", CONFIG_ORIGINS_MAX);
    c->origins[c->api.origins_count++] = value;
    return 0;
}

static int set_host_name(void *config, const char *value, struct error *err) {
    return http_hosts_add(&((struct config *)config)->api.hosts, value, err);
}

static int set_tokens(void *config, const char *value, struct error *err) {
    struct config *c = config;
    struct access *access;
    int rc = access_load(value, &access, err);
    if (rc != 0) return rc;
    access_free(c->api.access);
    c->api.access = access;
    c->tokens = value;
    return 0;
}

static int set_tls_cert(void *config, const char *value, struct error *err) {
    ((struct config *)config)->tls_cert = value;
    return file_probe(value, FILE_BYTES_MAX, err);
}

static int set_tls_key(void *config, const char *value, struct error *err) {
    ((struct config *)config)->tls_key = value;
    return file_probe(value, FILE_BYTES_MAX, err);
}

static int set_insecure(void *config, const char *value, struct error *err) {
    (void)value;
    (void)err;
    ((struct config *)config)->is_insecure = true;
    return 0;
}

static int set_simulator(void *config, const char *value, struct error *err) {
    struct config *c = config;
    if (!page_is_origin(value))
        return error_set(err, "'%.100s': expected an address such as http://127.0.0.1:8301", value);
    c->api.simulator = value;
    return 0;
}

static int set_username(void *config, const char *value, struct error *err) {
    struct config *c = config;
    char *shown = mem_strdup(value);
    text_line(shown);
    bool plain = *value != '\0' && strcmp(shown, value) == 0;
    free(shown);
    if (!plain) return error_set(err, "expected a name, in UTF-8, without control characters");
    c->session.username = value;
    return 0;
}

static int set_password_file(void *config, const char *value, struct error *err) {
    struct config *c = config;
    char *password = NULL;
    int rc = secret_load(value, &password, err);
    if (rc != 0) return rc;
    // Others may have been able to read it for years: it is used all the same.
    if (secret_check_private(value, err) == ERROR_INPUT)
        fprintf(stderr, "orchestrator: warning: --password-file: %s\n", err->text);
    free(c->password);
    c->session.password = c->password = password;
    return 0;
}

static int set_credentials(void *config, const char *value, struct error *err) {
    struct config *c = config;
    struct credentials_file credentials;
    int rc = credentials_load(&credentials, value, err);
    if (rc != 0) return rc;
    credentials_deinit(&c->credentials);
    c->credentials = credentials;
    c->credentials_path = value;
    return 0;
}

static int set_device_ca(void *config, const char *value, struct error *err) {
    struct config *c = config;
    struct tls_trust *trust = NULL;
    int rc = tls_trust_load(&trust, value, "--device-ca", err);
    if (rc != 0) return rc;
    tls_trust_free(c->device_ca);
    c->device_ca = trust;
    return 0;
}

static int set_connect_timeout(void *config, const char *value, struct error *err) {
    return duration_timeout_parse(value, &((struct config *)config)->session.connect_timeout_ms,
                                  err);
}

static int set_call_timeout(void *config, const char *value, struct error *err) {
    return duration_timeout_parse(value, &((struct config *)config)->session.call_timeout_ms, err);
}

static int set_install_timeout(void *config, const char *value, struct error *err) {
    return duration_timeout_parse(value, &((struct config *)config)->session.install_timeout_ms,
                                  err);
}

static const struct option_spec specs[] = {
    {"listen", "ADDRESS", "serve HTTP here; port 0 means any free port (127.0.0.1:5000)",
     set_listen},
    {"inventory", "URL|FILE|DIR",
     "read the hosts here for every job (http://127.0.0.1:8301/inventory/)", set_inventory},
    {"policy", "FILE", "redundancy groups and throttles, in YAML (ACME's)", set_policy},
    {"workers", "N", "devices worked on at the same time, over all jobs (100)", set_workers},
    {"max-jobs", "N", "jobs that run at the same time; the others wait in line (any number)",
     set_max_jobs},
    {"max-failures", "N|N%",
     "stop a job once more of its hosts have failed, unless its request says another number "
     "(never)",
     set_max_failures},
    {"downgrade", "allow|refuse",
     "whether a device that runs a newer version is changed, unless a request says (allow)",
     set_downgrade},
    {"state", "FILE|URI|none",
     "keep the jobs in this SQLite file, or in a PostgreSQL database (postgresql://...), so that "
     "they outlive the process; none: in memory (orchestrator.db)",
     set_state},
    {"allow-async", NULL,
     "take a PostgreSQL server whose standbys are asynchronous: jobs may be lost with it",
     set_allow_async},
    {"keep-jobs", "N", "keep this many jobs that are done, the newest (1000)", set_keep_jobs},
    {"resume-within", "DURATION",
     "jobs go on by themselves if the service was away for less than this (10m)",
     set_resume_within},
    {"log", "FILE", "append the log to it; - means stderr; SIGHUP reopens it (orchestrator.log)",
     set_log},
    {"log-level", "LEVEL", "lowest level to log: debug, info, warning or error (info)",
     set_log_level},
    {"log-format", "text|json",
     "lines as the original ACME orchestrator wrote them, or one JSON object each (text)",
     set_log_format},
    {"limit", "NAME=VALUE",
     "another limit than the default, of those in spec/limits.md: body=2MiB, idle=2m, "
     "open-jobs=100 (repeatable)",
     set_limit},
    {"cors-origin", "ORIGIN", "also allow this browser origin (repeatable)", set_origin},
    {"host-name", "NAME", "also answer requests to this name (repeatable)", set_host_name},
    {"tokens", "FILE",
     "answer only to those who have a token of this file; SIGHUP reads it anew (everybody)",
     set_tokens},
    {"tls-cert", "FILE",
     "serve https with this certificate (PEM, with its issuers); SIGHUP reads it anew (http)",
     set_tls_cert},
    {"tls-key", "FILE", "the certificate's key (PEM)", set_tls_key},
    {"insecure", NULL, "listen where others can reach it without tokens or TLS, all the same",
     set_insecure},
    {"simulator", "URL",
     "the page makes devices of this simulator fail, by a click (http://127.0.0.1:8301)",
     set_simulator},
    {"username", "NAME", "log in to devices as this user (admin)", set_username},
    {"password-file", "FILE", "log in to devices with the password on its first line (admin)",
     set_password_file},
    {"credentials", "FILE",
     "log in to devices with what this YAML file says by host, group or site; SIGHUP reads it "
     "again",
     set_credentials},
    {"device-ca", "FILE",
     "the CAs, in PEM, that sign the devices' certificates where the inventory says tls: true "
     "(those that this system trusts)",
     set_device_ca},
    {"connect-timeout", "DURATION", "longest wait for a connection to a device (5s)",
     set_connect_timeout},
    {"call-timeout", "DURATION", "longest wait for each answer of a device (30s)",
     set_call_timeout},
    {"install-timeout", "DURATION", "longest wait for an install and the restart after it (300s)",
     set_install_timeout},
    {"peer-check", "on|off", "install only where enough of the redundancy group is up (on)",
     set_peer_check},
    {"peer-max-age", "DURATION", "how long a device counts as up after it has answered (60s)",
     set_peer_max_age},
    {"peer-wait", "DURATION",
     "how long peers that are not up are asked again before a host is skipped (0s)", set_peer_wait},
    {"asks", "N", "peers asked or kept logged in at the same time (as many as --workers)",
     set_asks},
};

const struct options config_options = {
    .program = "orchestrator",
    .summary = "Upgrades the devices of a network, at most one of each redundancy group at a time.",
    .specs = specs,
    .count = COUNT(specs),
    .commands = &cli_commands,
};

int config_defaults(struct config *c, struct error *err) {
    *c = (struct config){
        .api = {.inventory = "http://127.0.0.1:8301/inventory/",
                .resume_within_ms = RESUME_WITHIN_MS},
        .store = {.where = "orchestrator.db", .keep_jobs = KEEP_JOBS},
        .session = {.username = "admin",
                    .password = "admin",
                    .connect_timeout_ms = SESSION_CONNECT_TIMEOUT_MS,
                    .call_timeout_ms = SESSION_CALL_TIMEOUT_MS,
                    .install_timeout_ms = SESSION_INSTALL_TIMEOUT_MS},
        .workers = 100,
        .peers = {.check = true, .max_age_ms = PEERS_MAX_AGE_MS},
        .log_path = "orchestrator.log",
        .log_level = LOG_INFO,
    };
    c->api.origins = c->origins;
    c->api.policy = &c->policy;
    limits_default(&c->api.limits);
    policy_default(&c->policy);
    return address_parse("127.0.0.1:5000", &c->api.listen, err);
}

void config_deinit(struct config *c) {
    free(c->password);
    credentials_deinit(&c->credentials);
    tls_trust_free(c->device_ca);
    policy_deinit(&c->policy);
}

// --- what options mean together

// Whoever reaches the service can upgrade the network, unless it asks who they are; and whoever
// listens to the wire can do what those can whom he hears.
int config_check(const struct config *c, struct error *err) {
    char address[ADDRESS_TEXT_MAX];
    if (c->is_insecure || address_is_loopback(&c->api.listen)) return 0;
    if (c->tokens != NULL && c->tls_cert != NULL) return 0;
    address_format(&c->api.listen, address);
    return error_set(err,
                     "others can reach %s: give --tokens, so that not everybody can upgrade the "
                     "network, and --tls-cert and --tls-key, so that no token is heard on the "
                     "wire; or --insecure",
                     address);
}

int config_load_tls(const struct config *c, struct http_tls **tls, struct error *err) {
    struct error warning;
    if (c->tls_cert == NULL && c->tls_key == NULL) return 0;
    if (c->tls_cert == NULL || c->tls_key == NULL)
        return error_set(err, "--tls-cert and --tls-key go together: give both");
    int rc = http_tls_load(c->tls_cert, c->tls_key, tls, &warning, err);
    if (rc == 0 && warning.text[0] != '\0') program_say("orchestrator: %s", warning.text);
    return rc;
}

int config_reload_credentials(struct config *c, struct error *err) {
    return c->credentials_path == NULL ? 0 : set_credentials(c, c->credentials_path, err);
}
