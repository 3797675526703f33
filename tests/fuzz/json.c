// The door that all JSON passes. What it lets in is printed as JSON that it lets in again.
#include "tests/fuzz/fuzz.h"

// Strings and keys are there, whatever they hold.
static void check_strings(const cJSON *value) {
    const cJSON *child;
    assert(!cJSON_IsString(value) || value->valuestring != NULL);
    cJSON_ArrayForEach(child, value) {
        assert(!cJSON_IsObject(value) || child->string != NULL);
        check_strings(child);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cJSON *json = NULL;
    struct error err = {0};
    mem_init();
    if (json_parse((const char *)data, size, &json, &err) != 0) {
        assert(json == NULL && err.text[0] != '\0');
        return 0;
    }
    check_strings(json);
    char *text = cJSON_PrintUnformatted(json);
    fuzz_is_json(text, strlen(text));
    cJSON_free(text);
    cJSON_Delete(json);
    return 0;
}
