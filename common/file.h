// Files, whole.
#pragma once

#include "common/buf.h"
#include "common/error.h"

enum { FILE_BYTES_MAX = 128 << 20 }; // of what we read whole, files and answers alike

// Appends the file's bytes to out. Negative (an errno) with its text where it cannot be read;
// ERROR_INPUT where it is no file (a folder, a device; a pipe is read to its end) or too large.
int file_read(const char *path, struct buf *out, struct error *err);
int file_read_max(const char *path, size_t max, struct buf *out, struct error *err);
// The same, of a file that check lets pass once it is open: what it looks at is what is read.
struct stat;
typedef int (*file_check)(const char *path, const struct stat *status, struct error *err);
int file_read_checked(const char *path, size_t max, file_check check, struct buf *out,
                      struct error *err);

// Writes the file anew. Negative (an errno) with its text where it cannot be; it may be there in
// part then.
int file_write(const char *path, const struct buf *text, struct error *err);

// The path of what a file names: from / on as it is, else relative to the file's folder; to free.
char *file_beside(const char *file, const char *name);
// The path from / on of one that is relative to where this process runs; to free.
char *file_absolute(const char *path);

// Whether it could be read now, as file_read_max() says, without reading it or waiting for a pipe's
// writer.
int file_probe(const char *path, size_t max, struct error *err);
