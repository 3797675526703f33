#include "orchestrator/brakes.h"

#include "common/duration.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

enum { PERCENT_MAX = 100 };

const char *const brakes_fields[BRAKES_FIELDS] = {"workers", "max_failures", "host_timeout",
                                                  "job_timeout"};

// --- reading

static int in_field(const char *name, struct error *err) {
    error_in(err, "%s", name);
    return ERROR_INPUT;
}

static int parse_timeout(const cJSON *body, const char *name, uint64_t *ms, struct error *err) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(body, name);
    const char *text;
    if (value == NULL) return 0;
    int rc = json_as_string(value, &text, err);
    if (rc == 0) rc = duration_timeout_parse(text, ms, err);
    return rc == 0 ? 0 : in_field(name, err);
}

int max_failures_parse(const char *text, struct max_failures *out, struct error *err) {
    const size_t digits = strspn(text, "0123456789");
    const bool is_percent = strcmp(text + digits, "%") == 0;
    const unsigned long value = strtoul(text, NULL, 10);
    const bool is_number = digits > 0 && digits <= 9 && (is_percent || text[digits] == '\0');
    if (!is_number || (is_percent && value > PERCENT_MAX))
        return error_set(err,
                         "'%.40s': expected a number of hosts, such as 3, or a part of them, such "
                         "as 5%%",
                         text);
    *out = (struct max_failures){is_percent ? FAILURES_PERCENT : FAILURES_COUNT, (uint32_t)value};
    return 0;
}

static int parse_max_failures(const cJSON *value, struct max_failures *out, struct error *err) {
    enum { FAILURES_MAX = 999999999 };
    uint64_t number;
    if (value == NULL) return 0;
    if (cJSON_IsString(value))
        return max_failures_parse(value->valuestring, out, err) == 0
                   ? 0
                   : in_field("max_failures", err);
    if (json_as_uint(value, 0, FAILURES_MAX, &number, err) != 0)
        return in_field("max_failures", err);
    *out = (struct max_failures){FAILURES_COUNT, (uint32_t)number};
    return 0;
}

int brakes_parse(const cJSON *body, struct brakes *brakes, struct error *err) {
    struct brakes b = *brakes;
    uint64_t workers = b.workers;
    int rc = json_uint_opt(body, "workers", 1, BRAKES_WORKERS_MAX, &workers, err);
    b.workers = (uint32_t)workers;
    if (rc == 0)
        rc = parse_max_failures(cJSON_GetObjectItemCaseSensitive(body, "max_failures"),
                                &b.max_failures, err);
    if (rc == 0) rc = parse_timeout(body, "host_timeout", &b.host_timeout_ms, err);
    if (rc == 0) rc = parse_timeout(body, "job_timeout", &b.job_timeout_ms, err);
    if (rc == 0) *brakes = b;
    return rc;
}

// --- failures

bool brakes_trip(const struct brakes *brakes, size_t failed, size_t hosts, struct buf *why) {
    const uint64_t value = brakes->max_failures.value;
    const bool is_percent = brakes->max_failures.unit == FAILURES_PERCENT;
    if (brakes->max_failures.unit == FAILURES_UNSAID) return false;
    if (is_percent ? (uint64_t)failed * PERCENT_MAX <= value * hosts : failed <= value)
        return false;
    buf_addf(why, "%zu of %zu hosts failed, max_failures is %llu%s", failed, hosts,
             (unsigned long long)value, is_percent ? "%" : "");
    return true;
}
