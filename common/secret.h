// A password out of a file. Devices lock accounts after a few wrong logins, so that a file which is
// not what its writer meant is refused before anybody logs in. A file of many secrets is for its
// owner alone.
#pragma once

#include "common/buf.h"
#include "common/error.h"

#include <stddef.h>

enum { SECRET_MAX = 1024 }; // bytes of a password

// How to log in to a device. NULL: nothing is said of it.
struct credentials {
    const char *username, *password;
};

// The first line of a file's text, without its line end; *out is the caller's to free. Refused,
// with what to do: nothing, another encoding than UTF-8, a byte order mark, control characters, too
// much.
int secret_parse(const char *text, size_t len, char **out, struct error *err);

// Negative (an errno) where the file cannot be read.
int secret_load(const char *path, char **out, struct error *err);

// Overwrites what a secret took, and frees it.
void secret_free(char *secret);

// What a document says is a user name or a password: SECRET_MAX bytes of UTF-8, without control
// characters. The text of an error never quotes it, and is to be put behind a field.
int secret_check(const char *text, struct error *err);

// Whether nobody but the file's owner may read or write it: no bit for group or others is set.
// ERROR_INPUT, with the remedy: "FILE: others may read it: chmod 600 FILE". Negative (an errno)
// where it cannot be looked at. A pipe that a shell has opened (/dev/fd/63) is private.
int secret_check_private(const char *path, struct error *err);
// The same, and appends the file's bytes to out: what is checked is what is read. Errors as
// file_read_max() has them, too.
int secret_read_private(const char *path, size_t max, struct buf *out, struct error *err);
