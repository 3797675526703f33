// Headers of a request: in the first line Prefer, in the second Idempotency-Key, then others as
// they come, a line each.
#include "common/http_framing.h"
#include "orchestrator/request_headers.h"
#include "tests/fuzz/fuzz.h"

static void check_prefer(const char *prefer) {
    const bool is_async = request_prefers_async(prefer);
    assert(!is_async || strcasestr(prefer, "respond-async") != NULL);
    struct buf more = {0};
    buf_addf(&more, "respond-async, %s", prefer);
    assert(request_prefers_async(more.data)); // whatever follows
    buf_deinit(&more);
}

// A key in quotes is the same key.
static void check_key(const char *text) {
    char key[REQUEST_KEY_MAX + 1] = "", again[REQUEST_KEY_MAX + 1];
    struct error err = {0};
    struct buf quoted = {0};
    if (request_key(text, "Idempotency-Key", key, &err) != 0) {
        assert(key[0] == '\0' && strcmp(err.field, "Idempotency-Key") == 0);
        return;
    }
    assert(strlen(key) >= 1 && strlen(key) <= REQUEST_KEY_MAX);
    buf_adds(&quoted, " \"");
    for (const char *c = key; *c != '\0'; c++) {
        assert(*c > ' ' && *c <= '~');
        if (*c == '"' || *c == '\\') buf_adds(&quoted, "\\");
        buf_add(&quoted, c, 1);
    }
    buf_adds(&quoted, "\"\t");
    const int rc = request_key(quoted.data, "Idempotency-Key", again, &err);
    assert(rc == 0 && strcmp(key, again) == 0);
    buf_deinit(&quoted);
}

static size_t count_of(struct fuzz_lines lines, const char *name) {
    size_t count = 0;
    char *line;
    for (; (line = fuzz_line(&lines)) != NULL; free(line))
        count += strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':';
    return count;
}

// What two readers could understand in two ways is wrong.
static void check_framing(struct fuzz_lines lines) {
    struct http_framing framing = {0};
    struct fuzz_lines at = lines;
    char *line;
    for (; (line = fuzz_line(&at)) != NULL; free(line)) {
        const size_t name = strcspn(line, ":");
        if (line[name] == '\0') continue; // http_head.h lets none pass without
        const char *value = line + name + 1;
        http_framing_take(&framing, line, name, value, strlen(value));
    }
    const size_t lengths = count_of(lines, "Content-Length");
    const size_t codings = count_of(lines, "Transfer-Encoding"), hosts = count_of(lines, "Host");
    const char *wrong = http_framing_wrong(&framing, true);
    assert(wrong != NULL || (lengths <= 1 && codings <= 1 && lengths + codings <= 1 && hosts == 1));
    assert(wrong == NULL || wrong[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_lines lines = {(const char *)data, size};
    char *prefer = fuzz_line(&lines), *key = fuzz_line(&lines);
    if (prefer != NULL) check_prefer(prefer);
    if (key != NULL) check_key(key);
    check_framing(lines);
    free(prefer);
    free(key);
    return 0;
}
