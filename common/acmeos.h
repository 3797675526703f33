// What both ends of the device protocol must agree on beyond its envelope: spec/acmeos.md.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { ACMEOS_VERSION_MAX = 29 }; // three times nine digits and two dots

// The largest number up to which JSON's readers agree on every whole one.
#define ACMEOS_EPOCH_MAX ((UINT64_C(1) << 53) - 1)
// Of a session that says none: it is never older than what a device has seen.
#define ACMEOS_NO_EPOCH UINT64_MAX

// Exactly [0-9]{1,9}.[0-9]{1,9}.[0-9]{1,9}. Whether two are the same is compared as text.
bool acmeos_version_valid(const char *version);
// By their numbers, part by part: 5.10.0 is newer than 5.9.9.
bool acmeos_version_newer(const char *version, const char *than);
