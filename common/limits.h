// The process' limits, checked before work begins and not in the middle of it.
#pragma once

#include "common/error.h"

// Makes room for so many descriptors, raising the soft limit up to the hard one. An error says what
// is needed and the remedy.
int limits_descriptors(unsigned long needed, struct error *err);

// Whether so many threads can be made now, beside those that are there. An error with the remedy,
// else.
int limits_threads(unsigned needed, struct error *err);
