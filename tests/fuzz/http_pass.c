// What comes on an HTTP connection, from anybody, and in any pieces: no more may go on than what is
// told from the whole of it, and what is wrong is so whatever the pieces.
#include "common/http_pass.h"
#include "tests/fuzz/fuzz.h"

// The bytes come in pieces of at most so many; returns how many went on, and sets what is wrong.
static uint64_t pass_in_pieces(const char *bytes, size_t size, size_t most, struct http_pass *p,
                               struct http_refusal *refusal) {
    const struct http_limits limits = http_limits_or_default(NULL);
    uint64_t passed = 0;
    for (size_t there = most < size ? most : size;; there += most) {
        if (there > size) there = size;
        if (passed < there)
            passed += http_pass(p, bytes + passed, there - (size_t)passed, &limits, refusal);
        if (refusal->status != 0 || there == size) return passed;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const size_t pieces[] = {1, 2, 7, 64};
    const char *bytes = (const char *)data;
    struct http_pass whole = {0};
    struct http_refusal refusal = {0};
    if (size == 0) return 0;
    const uint64_t passed = pass_in_pieces(bytes, size, size, &whole, &refusal);
    assert(refusal.status == 0 || (refusal.status >= 400 && passed < size));
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct http_pass p = {0};
        struct http_refusal early = {0};
        assert(pass_in_pieces(bytes, size, pieces[i], &p, &early) == passed);
        assert(p.heads == whole.heads && early.status == refusal.status);
    }
    return 0;
}
