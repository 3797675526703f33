// Requests of the terminal client to a running service, one at a time. Blocking, but for a hook.
// The service may be several nodes, which are one: what one does not answer another does.
#pragma once

#include "common/buf.h"
#include "common/client.h"
#include "orchestrator/job.h"

// Exit codes; 1 is that of a job in which not all is well.
enum { CLI_EXIT_REFUSED = 2, CLI_EXIT_UNREACHED = 3, CLI_EXIT_LEFT = 130 };

enum { CLI_NODES_MAX = 32 };

// Where the service is, in the order in which it is asked. Each URL is http://127.0.0.1:5000, with
// or without a / at its end.
struct cli_nodes {
    const char *urls[CLI_NODES_MAX];
    size_t count; // 1 at least, once the command line is read
    size_t at;    // the one that is asked next: that which answered last
};

const char *cli_nodes_url(const struct cli_nodes *nodes); // of that one
void cli_nodes_next(struct cli_nodes *nodes);

struct cli_service {
    struct cli_nodes *nodes;
    const struct client_trust *trust;
    // Called every so often while an answer is awaited, and when fd can be read; false: no answer
    // is wanted any more. NULL: nothing is to be done meanwhile.
    bool (*on_turn)(void *arg);
    void *arg;
    int fd; // -1: none
};

struct cli_ask {
    const char *method, *path;
    const cJSON *body, *headers; // NULL: none
    bool is_harmless;            // twice is as good as once; of a GET that is known
};

// A node that is not reached, or answers 503, leaves the request to the next, until all were asked.
// What was sent and not answered is sent again only where twice is as good as once: a GET, what is
// harmless, what has an Idempotency-Key.
//
// The answer's text is appended to out, its JSON is the caller's; either may be NULL. Returns 0, or
// the exit code that belongs to the error: the service refuses it; there is no answer, or it cannot
// just now; CLI_EXIT_LEFT where on_turn has ended it. *is_in_doubt (or NULL) becomes true where
// it was sent and not answered.
int cli_talk(const struct cli_service *service, const struct cli_ask *ask, struct buf *out,
             cJSON **json, bool *is_in_doubt, struct error *err);
int cli_get(const struct cli_service *service, const char *path, struct buf *out, cJSON **json,
            struct error *err);
// What an answer without success says, as the error; returns its exit code.
int cli_refusal(long status, const struct buf *answer, struct error *err);

// Both append: the URL of a path at the service; a text as a value of a query.
void cli_url(struct buf *out, const struct cli_service *service, const char *path);
void cli_add_encoded(struct buf *out, const char *text);

// Each host of the job in that state: a row as GET /jobs/{id}/hosts/ tells it, which is not the
// callback's to keep.
int cli_each_host(const struct cli_service *service, const char *id, const char *state,
                  void (*take)(void *arg, cJSON *row), void *arg, struct error *err);

// The ID that begins so, where one alone does. A whole ID is taken for one.
int cli_find_job(const struct cli_service *service, const char *beginning, char id[JOB_ID_MAX],
                 struct error *err);
