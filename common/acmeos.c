#include "common/acmeos.h"

#include <stdlib.h>
#include <string.h>

bool acmeos_version_valid(const char *version) {
    for (int part = 0; part < 3; part++) {
        size_t digits = strspn(version, "0123456789");
        if (digits < 1 || digits > 9) return false;
        version += digits;
        if (*version++ != (part < 2 ? '.' : '\0')) return false;
    }
    return true;
}

bool acmeos_version_newer(const char *version, const char *than) {
    for (int part = 0; part < 3; part++) {
        char *end_a, *end_b;
        const unsigned long a = strtoul(version, &end_a, 10), b = strtoul(than, &end_b, 10);
        if (a != b) return a > b;
        version = *end_a == '.' ? end_a + 1 : end_a;
        than = *end_b == '.' ? end_b + 1 : end_b;
    }
    return false;
}
