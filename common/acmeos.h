// What both ends of the device protocol must agree on beyond its envelope: spec/acmeos.md.
#pragma once

#include <stdbool.h>

enum { ACMEOS_VERSION_MAX = 29 }; // three times nine digits and two dots

// Exactly [0-9]{1,9}.[0-9]{1,9}.[0-9]{1,9}. Versions are compared as text.
bool acmeos_version_valid(const char *version);
