// Files, whole.
#pragma once

#include "common/buf.h"
#include "common/error.h"

// Appends the file's bytes to out. Negative (an errno) with its text where it cannot be read.
int file_read(const char *path, struct buf *out, struct error *err);
