// A selector, then the answer of a /metrics/ in Prometheus' text format: what scenarios and the
// bench read of it. What comes twice counts twice.
#include "common/scrape.h"
#include "tests/fuzz/fuzz.h"

// Whether numbers may stand in it that swallow others when they are added.
static bool text_has_large(const char *text) {
    size_t digits = 0;
    for (; *text != '\0'; text++) {
        digits = *text >= '0' && *text <= '9' ? digits + 1 : 0;
        if (digits > 6 || strchr("eEpPxXiInN", *text) != NULL) return true;
    }
    return false;
}

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
    if (once_sum > -1e6 && once_sum < 1e6) { // but for what rounding does to the sum
        const double difference = twice_sum - 2 * once_sum;
        assert(text_has_large(text) || (difference > -1e-3 && difference < 1e-3));
    }
    assert(!scrape_sum("", selector, &none_sum) && none_sum == 0);
    assert(!scrape_sum(twice.data, "#", &none_sum)); // a comment is no sample
    buf_deinit(&twice);
    free(text);
    free(selector);
    return 0;
}
