// The people of a round of several nodes: whoever asks for jobs, pauses them and tries them again,
// at any node, and goes to the next one where that does not answer. What they do is drawn, and told
// in a file. An error: an answer that may not be.
#pragma once

#include "tests/torture/body.h"
#include "tests/torture/cluster.h"

#include <stdio.h>

enum { PEOPLE_POSTS = 6, PEOPLE_RETRIES = 4, PEOPLE_ID = 64 };

struct people {
    struct draw d;
    struct place place;
    struct cluster cluster;
    cJSON *born; // the devices, before anything was done
    FILE *acts;
    uint64_t begun_ms;
    // Of the jobs that were asked for, by the number in their key.
    char bodies[PEOPLE_POSTS][BODY_MAX];
    // "": none was told. Those of retries come last.
    char ids[PEOPLE_POSTS + PEOPLE_RETRIES][PEOPLE_ID];
    unsigned posts, retries;
};

void people_tell(struct people *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
unsigned people_any_node(struct people *p);
// The cluster is tended meanwhile.
int people_pass_time(struct people *p, unsigned ms, struct error *err);

// Acts.
int people_post(struct people *p, struct error *err);
int people_control(struct people *p, struct error *err);
int people_look(struct people *p, struct error *err);
int people_read_devices(struct people *p, struct error *err);

// When all is well again: all jobs that were asked for are asked for again, by their keys, also
// those that nobody took; then all are resumed, and awaited; then each is told by any node to be
// over.
int people_end(struct people *p, struct error *err);
