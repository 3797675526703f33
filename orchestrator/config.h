// The options of the service: what a command line asks for, with the files that it names read.
#pragma once

#include "common/options.h"
#include "common/tls.h"
#include "orchestrator/api.h"
#include "orchestrator/joblog.h"

enum { CONFIG_ORIGINS_MAX = 64 };

struct config {
    struct api_config api;
    struct session_config session;
    unsigned workers, max_jobs;
    struct max_failures max_failures;
    enum downgrade downgrade;
    struct peers_config peers;
    struct store_config store;
    const char *log_path;
    enum log_level log_level;
    enum log_format log_format;
    const char *origins[CONFIG_ORIGINS_MAX];
    char *password;                 // read from a file
    const char *tokens;             // their file; NULL: none are asked for
    const char *tls_cert, *tls_key; // their files; NULL: no TLS
    bool is_insecure;
    const char *credentials_path; // NULL: there is none
    struct credentials_file credentials;
    struct tls_trust *device_ca;
    struct policy policy;
};

extern const struct options config_options;

int config_defaults(struct config *c, struct error *err);
void config_deinit(struct config *c); // but for the API's access and tls, which are the API's

// Whether the options go together. An error names what is missing.
int config_check(const struct config *c, struct error *err);
// The certificate that the service shows; NULL without an error: none was asked for. What is right
// but will trouble clients is said on stderr.
int config_load_tls(const struct config *c, struct http_tls **tls, struct error *err);
// Reads the file of credentials anew, where there is one. After an error what was read before
// holds.
int config_reload_credentials(struct config *c, struct error *err);
