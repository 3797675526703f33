#include "common/file.h"

#include <errno.h>
#include <stdio.h>

int file_read(const char *path, struct buf *out, struct error *err) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return error_system(err, -errno, "%s", path);
    int rc = 0;
    for (;;) {
        buf_reserve(out, 65536);
        errno = 0;
        size_t n = fread(out->data + out->len, 1, 65536, file);
        out->len += n;
        out->data[out->len] = '\0';
        if (n == 0) break;
    }
    if (ferror(file)) rc = error_system(err, errno != 0 ? -errno : -EIO, "%s", path);
    fclose(file);
    return rc;
}
