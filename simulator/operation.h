// The operations that a device offers, one list (operations.def).
#pragma once

enum operation {
#define X(name, text) OPERATION_##name,
#include "simulator/operations.def"
#undef X
    OPERATION_COUNT
};

#define OPERATION_BIT(operation) (1U << (operation))
#define OPERATION_ALL            ((1U << OPERATION_COUNT) - 1)

// Their names, in the order of the enum.
extern const char *const operation_names[OPERATION_COUNT];

// -1 where there is none of that name.
int operation_parse(const char *name);
