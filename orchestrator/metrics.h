// The metrics processor: counts events, and prints them for a scrape.
#pragma once

#include "common/prom.h"
#include "orchestrator/event.h"

struct metrics;

struct metrics *metrics_new(unsigned workers);
void metrics_free(struct metrics *metrics);
void metrics_event(void *self, const struct event *event); // self is a struct metrics

// groups_pending is the schedule's, not an event's. The text is the caller's to free.
char *metrics_text(const struct metrics *metrics, enum prom_format format, size_t groups_pending,
                   size_t *len);
