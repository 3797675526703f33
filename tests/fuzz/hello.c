// The first message of a TLS client, before GnuTLS sees it. As with a head of HTTP, its beginning
// is not whole before all of it is, and what is wrong does not become right.
#include "common/http_head.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *bytes = (const char *)data;
    struct http_refusal refusal = {0};
    const enum http_head hello = http_hello_read(bytes, size, &refusal);
    assert((hello == HTTP_HEAD_WRONG) == (refusal.detail[0] != '\0'));
    for (size_t len = 0; len < size; len++) {
        struct http_refusal early = {0};
        char *part = mem_alloc(len == 0 ? 1 : len); // of just its size
        if (len > 0) memcpy(part, bytes, len);
        const enum http_head head = http_hello_read(part, len, &early);
        free(part);
        assert(head == HTTP_HEAD_PARTIAL || head == hello);
    }
    return 0;
}
