#include "common/bytes.h"

#include "common/count.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned shift;
} units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};

static int wrong(const char *text, struct error *err) {
    return error_set(err, "'%.40s' is not a size: write 4096, 64KiB, 1MiB, 1.5GiB or 1TiB", text);
}

int bytes_parse(const char *text, uint64_t *bytes, struct error *err) {
    const size_t digits = strspn(text, "0123456789.");
    if (digits == 0 || digits > 20 || text[0] == '.') return wrong(text, err);
    char *end;
    const double value = strtod(text, &end);
    if (end != text + digits) return wrong(text, err);
    double scale = 0;
    for (size_t i = 0; i < COUNT(units); i++)
        if (strcmp(end, units[i].name) == 0) scale = (double)(1ULL << units[i].shift);
    if (scale == 0) return wrong(text, err);
    if (value * scale > (double)BYTES_MAX)
        return error_set(err, "'%.40s' is more than 1024TiB", text);
    const uint64_t whole = (uint64_t)(value * scale);
    if ((double)whole != value * scale)
        return error_set(err, "'%.40s' is no whole number of bytes", text);
    *bytes = whole;
    return 0;
}

void bytes_format(uint64_t bytes, char text[BYTES_TEXT_MAX]) {
    size_t unit = COUNT(units) - 1;
    while (unit > 0 && (bytes == 0 || (bytes & ((1ULL << units[unit].shift) - 1)) != 0))
        unit--;
    snprintf(text, BYTES_TEXT_MAX, "%" PRIu64 "%s", bytes >> units[unit].shift, units[unit].name);
}

void bytes_format_near(uint64_t bytes, char text[BYTES_TEXT_MAX]) {
    size_t unit = COUNT(units) - 1;
    while (unit > 0 && bytes < 1ULL << units[unit].shift)
        unit--;
    const double value = (double)bytes / (double)(1ULL << units[unit].shift);
    snprintf(text, BYTES_TEXT_MAX, unit == 0 ? "%.0f%s" : "%.1f%s", value, units[unit].name);
}
