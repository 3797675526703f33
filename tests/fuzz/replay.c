// Stands in for libFuzzer's main: runs a target once over each file that is named.
// usage: TARGET FILE...
#include "common/file.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        struct buf text = {0};
        struct error err;
        if (file_read(argv[i], &text, &err) != 0) {
            fprintf(stderr, "%s\n", err.text);
            return EXIT_FAILURE;
        }
        // A copy of just its size, so that a read past its end is seen.
        uint8_t *data = mem_alloc(text.len == 0 ? 1 : text.len);
        if (text.len > 0) memcpy(data, text.data, text.len);
        LLVMFuzzerTestOneInput(data, text.len);
        free(data);
        buf_deinit(&text);
    }
    return EXIT_SUCCESS;
}
