#include "common/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

int folder_make(char *path, size_t size, const char *name, struct error *err) {
    const char *tmp = getenv("TMPDIR");
    if (tmp == NULL) tmp = "/tmp";
    if ((size_t)snprintf(path, size, "%s/%s-XXXXXX", tmp, name) >= size)
        return error_set(err, "TMPDIR=%s: it is too long", tmp);
    return mkdtemp(path) == NULL ? error_system(err, -errno, "%s", path) : 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at) {
    (void)status;
    (void)kind;
    (void)at;
    remove(path);
    return 0;
}

void folder_remove(const char *path) {
    enum { OPEN_FOLDERS = 16 };
    nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}
