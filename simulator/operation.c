#include "simulator/operation.h"

#include <string.h>

const char *const operation_names[OPERATION_COUNT] = {
#define X(name, text) [OPERATION_##name] = #text,
#include "simulator/operations.def"
#undef X
};

int operation_parse(const char *name) {
    for (int i = 0; i < OPERATION_COUNT; i++)
        if (strcmp(name, operation_names[i]) == 0) return i;
    return -1;
}
