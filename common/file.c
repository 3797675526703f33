#include "common/file.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int too_large(const char *path, size_t max, struct error *err) {
    return error_set(err, "%s: it is larger than %zu bytes", path, max);
}

// A device may have no end, and a folder opens as if it were a file.
static int check_status(const char *path, const struct stat *status, size_t max,
                        struct error *err) {
    if (S_ISDIR(status->st_mode)) return error_system(err, -EISDIR, "%s", path);
    if (!S_ISREG(status->st_mode) && !S_ISFIFO(status->st_mode))
        return error_set(err, "%s: it is a device or a socket, not a file", path);
    return status->st_size > (off_t)max ? too_large(path, max, err) : 0;
}

static int read_all(FILE *file, const char *path, size_t max, struct buf *out, struct error *err) {
    enum { PIECE = 65536 };
    size_t start = out->len;
    for (;;) {
        buf_reserve(out, PIECE);
        errno = 0;
        size_t n = fread(out->data + out->len, 1, PIECE, file);
        out->len += n;
        out->data[out->len] = '\0';
        if (out->len - start > max) return too_large(path, max, err);
        if (n == 0) break;
    }
    return ferror(file) ? error_system(err, errno != 0 ? -errno : -EIO, "%s", path) : 0;
}

int file_read_checked(const char *path, size_t max, file_check check, struct buf *out,
                      struct error *err) {
    struct stat status;
    FILE *file = fopen(path, "rbe");
    if (file == NULL) return error_system(err, -errno, "%s", path);
    int rc = fstat(fileno(file), &status) == 0 ? check_status(path, &status, max, err)
                                               : error_system(err, -errno, "%s", path);
    if (rc == 0 && check != NULL) rc = check(path, &status, err);
    if (rc == 0) rc = read_all(file, path, max, out, err);
    fclose(file);
    return rc;
}

int file_read_max(const char *path, size_t max, struct buf *out, struct error *err) {
    return file_read_checked(path, max, NULL, out, err);
}

int file_read(const char *path, struct buf *out, struct error *err) {
    return file_read_max(path, FILE_BYTES_MAX, out, err);
}

int file_write(const char *path, const struct buf *text, struct error *err) {
    FILE *file = fopen(path, "wbe");
    if (file == NULL) return error_system(err, -errno, "%s", path);
    errno = 0;
    const bool is_written = text->len == 0 || fwrite(text->data, 1, text->len, file) == text->len;
    const int why = errno;
    if (fclose(file) == 0 && is_written) return 0;
    return error_system(err, is_written ? -errno : why != 0 ? -why : -EIO, "%s", path);
}

int file_probe(const char *path, size_t max, struct error *err) {
    struct stat status;
    if (stat(path, &status) != 0 || access(path, R_OK) != 0)
        return error_system(err, -errno, "%s", path);
    return check_status(path, &status, max, err);
}

char *file_beside(const char *file, const char *name) {
    const char *slash = strrchr(file, '/');
    struct buf path = {0};
    if (name[0] != '/' && slash != NULL) buf_add(&path, file, (size_t)(slash - file) + 1);
    buf_adds(&path, name);
    return buf_take(&path);
}

char *file_absolute(const char *path) {
    char here[PATH_MAX];
    struct buf absolute = {0};
    bool relative = path[0] != '/' && getcwd(here, sizeof here) != NULL;
    if (relative) buf_addf(&absolute, "%s/", here);
    buf_adds(&absolute, path);
    return buf_take(&absolute);
}
