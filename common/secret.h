// A password out of a file. Devices lock accounts after a few wrong logins, so that a file which is
// not what its writer meant is refused before anybody logs in.
#pragma once

#include "common/error.h"

#include <stddef.h>

enum { SECRET_MAX = 1024 }; // bytes of a password

// The first line of a file's text, without its line end; *out is the caller's to free. Refused,
// with what to do: nothing, another encoding than UTF-8, a byte order mark, control characters, too
// much.
int secret_parse(const char *text, size_t len, char **out, struct error *err);

// Negative (an errno) where the file cannot be read.
int secret_load(const char *path, char **out, struct error *err);

// Overwrites what a secret took, and frees it.
void secret_free(char *secret);

// An error, with the remedy, where others than its owner may read or change the file.
int secret_check_private(const char *path, struct error *err);
