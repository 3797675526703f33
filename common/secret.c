#include "common/secret.h"

#include "common/file.h"
#include "common/mem.h"
#include "common/utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool begins(const char *text, size_t len, const char *mark, size_t mark_len) {
    return len >= mark_len && memcmp(text, mark, mark_len) == 0;
}

// Editors that write one mean well; a device would get it as part of the password.
static int check_mark(const char *text, size_t len, struct error *err) {
    if (begins(text, len, "\xef\xbb\xbf", 3))
        return error_set(err, "it begins with a byte order mark: save it as UTF-8 without BOM");
    if (begins(text, len, "\xff\xfe", 2) || begins(text, len, "\xfe\xff", 2))
        return error_set(err, "it is UTF-16: save it as UTF-8");
    return 0;
}

static int check_bytes(const char *line, size_t len, struct error *err) {
    const unsigned char *bytes = (const unsigned char *)line;
    for (size_t i = 0, step; i < len; i += step) {
        step = utf8_len(bytes + i, len - i);
        if (step == 0)
            return error_set(err, "byte %zu is not UTF-8: save it as UTF-8, not as Latin-1", i + 1);
        if (bytes[i] == '\0')
            return error_set(err, "byte %zu is a NUL: save it as UTF-8, not as UTF-16", i + 1);
        if (bytes[i] < 0x20 || bytes[i] == 0x7f)
            return error_set(err, "byte %zu is a control character: remove it", i + 1);
    }
    return 0;
}

int secret_parse(const char *text, size_t len, char **out, struct error *err) {
    size_t line = 0;
    while (line < len && text[line] != '\n')
        line++;
    if (line > 0 && text[line - 1] == '\r') line--;
    if (len == 0) return error_set(err, "it is empty: write the password into its first line");
    int rc = check_mark(text, len, err);
    if (rc == 0) rc = check_bytes(text, line, err);
    if (rc != 0) return rc;
    if (line == 0) return error_set(err, "its first line is empty: write the password into it");
    if (line > SECRET_MAX)
        return error_set(err, "its first line has %zu bytes: a password has %d at most", line,
                         SECRET_MAX);
    *out = mem_strndup(text, line);
    return 0;
}

int secret_load(const char *path, char **out, struct error *err) {
    enum { ENOUGH = 65536 };
    struct buf text = {0};
    int rc = file_read_max(path, ENOUGH, &text, err);
    if (rc == 0 && (rc = secret_parse(text.data, text.len, out, err)) != 0)
        error_from(err, "%.200s", path);
    buf_deinit(&text);
    return rc;
}

void secret_free(char *secret) {
    if (secret == NULL) return;
    explicit_bzero(secret, strlen(secret));
    free(secret);
}

int secret_check(const char *text, struct error *err) {
    const size_t len = strlen(text);
    if (len == 0) return error_set(err, "it is empty");
    if (len > SECRET_MAX)
        return error_set(err, "it has %zu bytes: %d at most are allowed", len, SECRET_MAX);
    return check_bytes(text, len, err);
}

// --- files that are for their owner alone

static int check_mode(const char *path, const struct stat *status, struct error *err) {
    if ((status->st_mode & (S_IRWXG | S_IRWXO)) == 0) return 0;
    return error_set(err, "%.200s: others may read it: chmod 600 %.200s", path, path);
}

int secret_check_private(const char *path, struct error *err) {
    struct stat status;
    if (stat(path, &status) != 0) return error_system(err, -errno, "%.200s", path);
    return check_mode(path, &status, err);
}

int secret_read_private(const char *path, size_t max, struct buf *out, struct error *err) {
    return file_read_checked(path, max, check_mode, out, err);
}
