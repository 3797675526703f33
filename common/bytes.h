// Sizes as people write them: 4096, 64KiB, 1.5MiB, 10GiB. Kept in whole bytes.
#pragma once

#include "common/error.h"

#include <stdint.h>

#define BYTES_MAX (1ULL << 50) // 1024 TiB: more is a typing error

int bytes_parse(const char *text, uint64_t *bytes, struct error *err);

enum { BYTES_TEXT_MAX = 32 };
// In the largest unit of which it is a whole number: "8000", "64KiB", "10GiB".
void bytes_format(uint64_t bytes, char text[BYTES_TEXT_MAX]);
// For reading: "11.2GiB", rounded to a tenth.
void bytes_format_near(uint64_t bytes, char text[BYTES_TEXT_MAX]);
