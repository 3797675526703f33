// A selector, then the answer of a /metrics/ in Prometheus' text format: what scenarios and the
// bench read of it. What comes twice counts twice.
#include "common/scrape.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_lines lines = {(const char *)data, size};
    char *selector = fuzz_line(&lines);
    if (selector == NULL) return 0;
    char *text = mem_strndup(lines.at == NULL ? "" : lines.at, lines.left);
    struct buf twice = {0};
    double once_sum = 1, twice_sum = 1, none_sum = 1;
    buf_addf(&twice, "%s\n# HELP x y\n%s", text, text);
    const bool matches = scrape_sum(text, selector, &once_sum);
    assert(matches || once_sum == 0);
    assert(scrape_sum(twice.data, selector, &twice_sum) == matches);
    if (once_sum == (double)(int)once_sum && once_sum > -1e6 && once_sum < 1e6)
        assert(twice_sum == 2 * once_sum || twice_sum != (double)(int)twice_sum);
    assert(!scrape_sum("", selector, &none_sum) && none_sum == 0);
    buf_deinit(&twice);
    free(text);
    free(selector);
    return 0;
}
