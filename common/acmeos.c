#include "common/acmeos.h"

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
