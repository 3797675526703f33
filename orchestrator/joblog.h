// The log processor: one line for each event, in the form of the original ACME orchestrator.
#pragma once

#include "common/log.h"
#include "orchestrator/event.h"

void joblog_event(void *self, const struct event *event); // self is a struct log
