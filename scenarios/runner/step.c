#include "scenarios/runner/step.h"

#include "common/duration.h"
#include "common/json.h"
#include "scenarios/runner/expect.h"

#include <string.h>

const char *step_text(const cJSON *object, const char *key, const char *otherwise) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(value) ? value->valuestring : otherwise;
}

enum program_name step_program(const cJSON *object, const char *key) {
    const char *name = step_text(object, key, program_names[PROGRAM_ORCHESTRATOR]);
    return strcmp(name, program_names[PROGRAM_SIMULATOR]) == 0 ? PROGRAM_SIMULATOR
                                                               : PROGRAM_ORCHESTRATOR;
}

// The schema has seen to it that it is a duration; what ${...} made of it has to be checked here.
uint64_t step_duration(const cJSON *object, const char *key, uint64_t otherwise_us,
                       struct buf *differences) {
    struct error err;
    uint64_t us = otherwise_us;
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    if (value == NULL) return otherwise_us;
    if (cJSON_IsNumber(value) && value->valuedouble == 0) return 0; // a plain 0
    if (!cJSON_IsString(value))
        expect_differ(differences, "%s: expected a duration such as 10ms, not %s", key,
                      json_type_name(value));
    else if (duration_parse(value->valuestring, &us, &err) != 0)
        expect_differ(differences, "%s: %s", key, err.text);
    return us;
}
