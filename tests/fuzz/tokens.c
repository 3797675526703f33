// The file of tokens, and behind a line of % the header Authorization of a request. Who is let in
// has a token whose hash the file has.
#include "orchestrator/access.h"
#include "tests/fuzz/fuzz.h"

static void check_admitted(const struct access *access, const char *authorization) {
    const char *reader = NULL, *writer = NULL;
    const enum http_admission reads = access_admit(access, authorization, false, &reader);
    const enum http_admission writes = access_admit(access, authorization, true, &writer);
    assert((reads == HTTP_ADMITTED) == (reader != NULL));
    assert(reads != HTTP_FORBIDDEN && (writer != NULL) == (reader != NULL));
    if (reader == NULL) {
        assert(reads == writes);
        return;
    }
    assert(writes == HTTP_ADMITTED || writes == HTTP_FORBIDDEN);
    assert(writer == reader && strlen(reader) <= ACCESS_NAME_MAX && fuzz_is_line(reader));
    assert(strncasecmp(authorization + strspn(authorization, " \t"), "bearer ", 7) == 0);
}

// A token that gets a line is let in by that line, and by no other.
static void check_own(const char *token) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/";
    struct buf line = {0}, bearer = {0};
    struct access *access = NULL;
    struct error err;
    const char *who = NULL;
    int rc = access_line("noc", "read", token, &line, &err);
    if (rc == 0) rc = access_parse(line.data, line.len, &access, &err);
    assert(rc == 0);
    buf_addf(&bearer, "Bearer %s", token);
    const enum http_admission admission = access_admit(access, bearer.data, false, &who);
    if (*token != '\0' && strspn(token, plain) == strlen(token) && strlen(token) <= 512)
        assert(admission == HTTP_ADMITTED && strcmp(who, "noc") == 0);
    access_free(access);
    buf_deinit(&line);
    buf_deinit(&bearer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    const uint8_t *end = size == 0 ? NULL : memmem(data, size, "\n%\n", 3);
    const size_t len = end == NULL ? size : (size_t)(end - data);
    struct access *access = NULL;
    struct error err = {0};
    char *authorization =
        end == NULL ? mem_strdup("Bearer x") : mem_strndup(text + len + 3, size - len - 3);
    const int rc = access_parse(text == NULL ? "" : text, len, &access, &err);
    assert((rc == 0) == (access != NULL) && (rc == 0 || err.text[0] != '\0'));
    if (rc == 0) check_admitted(access, authorization);
    check_own(authorization);
    access_free(access);
    free(authorization);
    return 0;
}
