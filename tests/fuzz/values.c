// Short texts that people and devices write, told apart by the first byte: durations, sizes,
// moments, limits, globs, words, and what is written of any text for people.
#include "common/bytes.h"
#include "common/count.h"
#include "common/duration.h"
#include "common/glob.h"
#include "common/options.h"
#include "common/suggest.h"
#include "common/timestamp.h"
#include "orchestrator/brakes.h"
#include "orchestrator/limit.h"
#include "tests/fuzz/fuzz.h"

#include <fnmatch.h>

// Whatever is read is written as something that is read as the same.
static void check_duration(const char *text) {
    uint64_t us, ms, again;
    struct duration_range range;
    struct error err;
    char written[DURATION_TEXT_MAX];
    if (duration_parse(text, &us, &err) == 0) {
        assert(us <= DURATION_MAX_US);
        duration_format(us, written);
        assert(duration_parse(written, &again, &err) == 0 && again == us);
        const int rc = duration_timeout_parse(text, &ms, &err);
        assert((rc == 0) == (us > 0) && (rc != 0 || (ms > 0 && ms * 1000 >= us)));
    }
    if (duration_range_parse(text, &range, &err) == 0) assert(range.low_us <= range.high_us);
}

static void check_size(const char *text) {
    uint64_t bytes, again;
    struct error err;
    char written[BYTES_TEXT_MAX];
    if (bytes_parse(text, &bytes, &err) != 0) return;
    assert(bytes <= BYTES_MAX);
    bytes_format(bytes, written);
    assert(bytes_parse(written, &again, &err) == 0 && again == bytes);
}

static void check_moment(const char *text) {
    long long ms = -1;
    char written[TIMESTAMP_MAX];
    if (!timestamp_parse(text, &ms)) {
        assert(ms == -1);
        return;
    }
    timestamp_format(ms, written);
    assert(strcmp(written, text) == 0);
}

static void check_limit(const char *text) {
    struct limits limits = {0};
    struct error err = {0};
    size_t others = 0;
    limits_default(&limits);
    const bool is_set = limit_set(&limits, text, &err) == 0;
    assert(is_set || err.text[0] != '\0');
    for (size_t i = 0; i < limit_specs_count; i++) {
        uint64_t value;
        memcpy(&value, (const char *)&limits + limit_specs[i].at, sizeof value);
        assert(value >= limit_specs[i].least && value <= limit_specs[i].most);
        others += value != limit_specs[i].standard;
    }
    assert(others <= (is_set ? 1 : 0));
}

static void check_number(const char *text) {
    uint64_t n;
    char written[32];
    struct error err;
    struct max_failures failures;
    if (options_number(text, 7, 1000000, &n, &err) == 0) {
        assert(n >= 7 && n <= 1000000);
        snprintf(written, sizeof written, "%llu", (unsigned long long)n);
        assert(strcmp(written, text + strspn(text, "0")) == 0);
    }
    if (max_failures_parse(text, &failures, &err) != 0) assert(err.text[0] != '\0');
}

static size_t count_of(const char *text, char c) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == c;
    return count;
}

// What stands in [[:here:]] may be no name of a class: POSIX does not say what that means.
static bool has_class(const char *pattern) {
    return strstr(pattern, "[:") != NULL || strstr(pattern, "[.") != NULL ||
           strstr(pattern, "[=") != NULL;
}

// "PATTERN TEXT": as fnmatch() reads it, where that does not take for ever.
static void check_glob(char *pattern) {
    char *text = strchr(pattern, ' ');
    if (text == NULL) return;
    *text++ = '\0';
    const bool matches = glob_matches(pattern, text);
    if (!glob_is(pattern)) assert(matches == (strcmp(pattern, text) == 0));
    if (count_of(pattern, '*') > 3 || strlen(pattern) > 200 || has_class(pattern)) return;
    assert(matches == (fnmatch(pattern, text, 0) == 0));
}

static void check_word(const char *word) {
    static const char *const known[] = {"filter_sites", "filter_hosts", "version", "canaries"};
    const char *near = suggest(word, known, COUNT(known));
    bool is_known = near == NULL;
    for (size_t i = 0; i < COUNT(known); i++)
        is_known = is_known || near == known[i];
    assert(is_known);
    suggest_slip(word, known[0]);
}

// What a device says, in a line of the log.
static void check_text(char *text) {
    const size_t len = strlen(text);
    char *lines = mem_strdup(text);
    for (size_t max = 0; max <= len && max < 50; max++)
        assert(text_cut(text, len, max) <= max);
    text_lines(lines);
    assert(strlen(lines) <= len);
    text_line(text);
    assert(strlen(text) <= len && fuzz_is_line(text) && strpbrk(text, "\r\n\t\x1b\x7f") == NULL);
    struct buf json = {0};
    buf_add_json(&json, text);
    fuzz_is_json(json.data, json.len);
    buf_deinit(&json);
    free(lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    mem_init();
    if (size == 0) return 0;
    char *text = mem_strndup((const char *)data + 1, size - 1);
    switch (data[0]) {
    case 'd':
        check_duration(text);
        break;
    case 's':
        check_size(text);
        break;
    case 'm':
        check_moment(text);
        break;
    case 'l':
        check_limit(text);
        break;
    case 'n':
        check_number(text);
        break;
    case 'g':
        check_glob(text);
        break;
    case 'w':
        check_word(text);
        break;
    default:
        check_text(text);
    }
    free(text);
    return 0;
}
