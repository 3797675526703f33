// A scenario file, as text: what scenario check and scenario run read.
#include "scenarios/runner/scenario.h"
#include "common/count.h"
#include "scenarios/runner/vars.h"
#include "tests/fuzz/fuzz.h"

// Stands in for what steps capture, however deep they are.
static void add_captures(const cJSON *value, cJSON *vars) {
    const cJSON *capture, *child;
    cJSON_ArrayForEach(capture,
                       cJSON_GetObjectItemCaseSensitive(
                           value, "capture")) if (!cJSON_HasObjectItem(vars, capture->string))
        cJSON_AddStringToObject(vars, capture->string, "${captured");
    cJSON_ArrayForEach(child, value) add_captures(child, vars);
}

// Every name in a scenario that was accepted has a value when it runs.
static void check_expands(const struct scenario *s, cJSON *vars) {
    static const char *const parts[] = {"network", "simulator", "orchestrator", "faults",
                                        "steps",   "always",    "finally"};
    cJSON_AddNumberToObject(vars, "seed", (double)s->seed);
    cJSON_AddStringToObject(vars, "dir", "/tmp/x");
    add_captures(s->file.root, vars);
    for (size_t i = 0; i < COUNT(parts); i++) {
        const cJSON *part = cJSON_GetObjectItemCaseSensitive(s->file.root, parts[i]);
        cJSON *expanded = NULL;
        struct error err;
        if (part == NULL) continue;
        int rc = vars_expand(part, vars, &expanded, &err);
        if (rc != 0) fprintf(stderr, "%s: %s\n", parts[i], err.text);
        assert(rc == 0);
        cJSON_Delete(expanded);
    }
}

static void check_scenario(const struct scenario *s) {
    enum { LOOKED_AT = 4 };
    size_t combinations = scenario_combinations(s);
    assert(s->name[0] != '\0' && combinations >= 1);
    assert(combinations <= SCENARIO_COMBINATIONS_MAX);
    for (size_t i = 0; i < combinations && i < LOOKED_AT; i++) {
        cJSON *values = scenario_combination(s, i);
        check_expands(s, values);
        cJSON_Delete(values);
    }
    const cJSON *fault;
    cJSON_ArrayForEach(fault, cJSON_GetObjectItemCaseSensitive(s->file.root, "faults")) {
        cJSON *plain = scenario_plain_fault(fault);
        assert(cJSON_HasObjectItem(plain, "effect") && !cJSON_HasObjectItem(plain, "name"));
        cJSON_Delete(plain);
    }
    scenario_tagged(s, "quick,slow");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct scenario s = {0};
    struct findings f = {0};
    mem_init();
    int rc = scenario_parse(&s, "scenario.yaml", (const char *)data, size, &f);
    assert(rc == (f.count == 0 ? 0 : ERROR_INPUT) && (f.more == 0 || f.count == FINDINGS_MAX));
    if (rc == 0) check_scenario(&s);
    for (size_t i = 0; i < f.count; i++)
        assert(strncmp(f.list[i].text, "scenario.yaml:", 14) == 0);
    scenario_deinit(&s);
    return 0;
}
