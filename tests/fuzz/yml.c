// Any YAML file, before somebody asks what is in it. What is read is JSON, too.
#include "common/yml.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct yml y = {0};
    struct error err = {0};
    mem_init();
    if (yml_parse(&y, "f.yaml", (const char *)data, size, &err) != 0) {
        assert(y.root == NULL && strncmp(err.text, "f.yaml:", 7) == 0);
        return 0;
    }
    assert(y.aliased_values <= YML_ALIASED_VALUES_MAX && y.aliased_bytes <= YML_ALIASED_BYTES_MAX);
    char *text = cJSON_PrintUnformatted(y.root);
    fuzz_is_json(text, strlen(text));
    cJSON_free(text);
    yml_deinit(&y);
    return 0;
}
