// The head of an HTTP request, as it comes from anybody. A client may send it in any pieces: its
// beginning must not be whole before all of it is, and what is wrong does not become right.
#include "common/http_head.h"
#include "common/http_host.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *bytes = (const char *)data;
    const struct http_limits limits = http_limits_or_default(NULL);
    struct http_refusal refusal = {0};
    struct http_end end = {0};
    enum http_head head = http_head_read(bytes, size, &limits, &end, &refusal);
    assert((head == HTTP_HEAD_WRONG) == (refusal.detail[0] != '\0'));
    assert((head == HTTP_HEAD_WRONG) == (refusal.status >= 400));
    assert(head != HTTP_HEAD_WHOLE || (end.head <= size && bytes[end.head - 1] == '\n'));
    assert(!end.is_chunked || end.length == 0);
    for (size_t len = 0; len < size; len++) {
        struct http_refusal early = {0};
        enum http_head part = http_head_read(bytes, len, &limits, NULL, &early);
        assert(part == HTTP_HEAD_PARTIAL || part == head);
        assert(part != HTTP_HEAD_WRONG || early.status == refusal.status);
    }
    http_host_is_ours(bytes, size, "127.0.0.1", NULL);
    return 0;
}
