// The audit: a line for each request that would change something: who, from where, what, what they
// were answered, and which job it is about. It is in the store, and GET /audit/ tells it. Lines of
// requests that were refused before anybody looked at them (by their token, origin, host, path or
// method) have a bound of their own, and are so many a second at most: the rest is only counted, so
// that they push out no other line and keep no disk busy.
#pragma once

#include "common/http.h"
#include "orchestrator/store.h"

enum { API_AUDIT_REFUSED_A_SECOND = 10 };

extern const char *const api_audit_query[];

struct api_audit {
    struct store *store;
    bool is_open; // jobs of before are taken up: the store may be written
    long long second;
    unsigned refused_now; // in this second
    uint64_t refused;     // in all
    uint64_t
        not_written;   // lines that the store could not keep, or of refused ones that were too many
    size_t reading;    // of the store: it must stay open
    bool is_closed;    // it is read no more
    unsigned accesses; // how often who may do what was read anew: answers of before end
};

// A request that is answered with this status.
void api_audit_answered(struct api_audit *a, const struct http_request *r, int status);

// One whose job is there, and whose answer may be long in coming, or its client have left.
struct audit_by {
    char *who, *method, *path;
    char from[ADDRESS_TEXT_MAX];
};
struct audit_by *audit_by_new(const struct http_request *r);
void audit_by_free(struct audit_by *by); // takes NULL
void api_audit_accepted(struct api_audit *a, const struct audit_by *by, const char *job);

// GET /audit/
void api_audit_get(struct api_audit *a, struct http_request *r);
