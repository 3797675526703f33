#include "scenarios/runner/run.h"

#include "common/json.h"

void run_add_values(const struct run *run, struct buf *out) {
    const cJSON *value;
    const char *before = "(";
    cJSON_ArrayForEach(value, run->values) {
        buf_adds(out, before);
        buf_addf(out, "%s=", value->string);
        json_add_text(out, value);
        before = ", ";
    }
    if (cJSON_GetArraySize(run->values) > 0) buf_adds(out, ")");
}

const char *run_outcome(const struct run *run) {
    if (!run->over) return "";
    return cJSON_GetObjectItemCaseSensitive(run->result, "outcome")->valuestring;
}

const char *run_text(const struct run *run) {
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(run->result, "text");
    return cJSON_IsString(text) ? text->valuestring : "";
}
