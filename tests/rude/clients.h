// The clients that do not behave, at work. Each kind comes once to each of its targets, in an order
// that is drawn; from then on which comes when, and for how long, is drawn.
#pragma once

#include "common/address.h"
#include "common/error.h"
#include "tests/rude/client_kinds.h"
#include "tests/rude/pollset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;
struct client_coming;

struct clients {
    uint64_t seed, draws;
    union address targets[CLIENT_TARGETS];
    struct client *first;
    unsigned count[CLIENT_TARGETS]; // of those that are there and do not stay
    unsigned long long connections; // ever
    unsigned weights;               // of all kinds together
    struct client_coming *coming;   // those that have still to come
    size_t coming_count;
    size_t unplayed; // how many kinds, by target, have not come to their last act anywhere
    bool *played;    // by kind and target
};

void clients_init(struct clients *c, uint64_t seed, const union address targets[CLIENT_TARGETS]);
void clients_deinit(struct clients *c);

void clients_send(struct clients *c, uint64_t now_ms); // a few
// Adds those that read.
void clients_watch(const struct clients *c, struct pollset *set);
// Gives a turn to those that can read, or to all; ready is where the watched ones begin. An error:
// one was told something else than it should be.
int clients_turn(struct clients *c, const struct pollfd *ready, bool is_due, uint64_t now_ms,
                 struct error *err);
// An error: a kind has not come to its last act yet, or was not answered; which, and where.
int clients_check_played(const struct clients *c, struct error *err);
// Takes all away. An error: one is there that should have been ended.
int clients_leave(struct clients *c, struct error *err);
