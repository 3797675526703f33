#include "common/inventory_file.h"

#include "common/file.h"
#include "common/inventory_parse.h"
#include "common/json.h"
#include "common/yml.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { HOSTS, GROUPS, DEFAULTS }; // the parts of a folder

static const char *const part_names[INVENTORY_FILE_PARTS] = {
    [HOSTS] = "hosts.yaml", [GROUPS] = "groups.yaml", [DEFAULTS] = "defaults.yaml"};

// --- reading

// It is read again for every job, which a pipe cannot be; and a pipe may never end.
static int look(const char *path, bool *folder, struct error *err) {
    struct stat status;
    *folder = false;
    if (stat(path, &status) != 0) return 0; // the reading says why
    *folder = S_ISDIR(status.st_mode);
    if (!S_ISFIFO(status.st_mode)) return 0;
    return error_set(err, "%.200s: it is a pipe, not a file", path);
}

static void name_part(const char *folder, int part, char path[PATH_MAX]) {
    size_t len = strlen(folder);
    bool slash = len > 0 && folder[len - 1] == '/';
    snprintf(path, PATH_MAX, "%s%s%s", folder, slash ? "" : "/", part_names[part]);
}

static int read_folder(struct inventory_file *f, size_t max, struct error *err) {
    char path[PATH_MAX];
    struct stat status;
    bool folder;
    for (int i = 0; i < INVENTORY_FILE_PARTS; i++) {
        name_part(f->path, i, path);
        if (i != HOSTS && lstat(path, &status) != 0 && errno == ENOENT) continue;
        int rc = look(path, &folder, err);
        if (rc == 0) rc = file_read_max(path, max, &f->texts[i], err);
        if (rc != 0) return rc;
        f->has[i] = true;
    }
    return 0;
}

int inventory_file_read(struct inventory_file *f, const char *path, size_t max, struct error *err) {
    *f = (struct inventory_file){.path = path};
    int rc = look(path, &f->folder, err);
    if (rc != 0) return rc;
    if (f->folder) return read_folder(f, max, err);
    f->has[0] = true;
    return file_read_max(path, max, &f->texts[0], err);
}

size_t inventory_file_size(const struct inventory_file *f) {
    size_t size = 0;
    for (int i = 0; i < INVENTORY_FILE_PARTS; i++)
        size += f->texts[i].len;
    return size;
}

void inventory_file_deinit(struct inventory_file *f) {
    for (int i = 0; i < INVENTORY_FILE_PARTS; i++)
        buf_deinit(&f->texts[i]);
}

int inventory_file_probe(const char *path, size_t max, struct error *err) {
    char hosts[PATH_MAX];
    bool folder;
    int rc = look(path, &folder, err);
    if (rc != 0) return rc;
    if (folder) name_part(path, HOSTS, hosts);
    return file_probe(folder ? hosts : path, max, err);
}

// --- parsing

// A text that begins like a JSON object is JSON, any other YAML; errors of the second know lines.
static int parse_text(struct yml *y, const char *path, const struct buf *text, struct error *err) {
    if (text->len == 0 || text->data[strspn(text->data, " \t\r\n")] != '{')
        return yml_parse(y, path, text->data == NULL ? "" : text->data, text->len, err);
    int rc = json_parse(text->data, text->len, &y->root, err);
    if (rc != 0) yml_place(y, path, err);
    return rc;
}

static int parse_file(const struct inventory_file *f, struct inventory **out, struct error *err) {
    struct yml y = {0};
    int rc = parse_text(&y, f->path, &f->texts[0], err);
    if (rc == 0) {
        rc = (f->unaddressed ? inventory_parse_unaddressed : inventory_parse)(y.root, out, err);
        if (rc != 0) yml_place(&y, f->path, err);
    }
    yml_deinit(&y);
    return rc;
}

// Nothing but blank lines and comments: a file of Nornir's may be so. A NUL is neither.
static bool is_blank(const struct buf *text) {
    const char *at = text->data == NULL ? "" : text->data, *begin = at;
    while (*(at += strspn(at, " \t\r\n")) == '#')
        at += strcspn(at, "\n");
    return (size_t)(at - begin) == text->len;
}

static int parse_part(const struct inventory_file *f, int part, struct yml *y, struct error *err) {
    char path[PATH_MAX];
    if (!f->has[part]) return 0;
    if (part != HOSTS && is_blank(&f->texts[part])) {
        y->root = cJSON_CreateNull();
        return 0;
    }
    name_part(f->path, part, path);
    return yml_parse(y, path, f->texts[part].data, f->texts[part].len, err);
}

// The file that holds the value at fault is named, with its line.
static void place(const struct inventory_file *f, const struct yml *parts, struct error *err) {
    char path[PATH_MAX];
    for (int i = 0; i < INVENTORY_FILE_PARTS; i++) {
        if (yml_line(&parts[i], err->at) == 0) continue;
        name_part(f->path, i, path);
        yml_place(&parts[i], path, err);
        return;
    }
    error_from(err, "%.200s", f->path);
}

static int parse_folder(const struct inventory_file *f, struct inventory **out, struct error *err) {
    struct yml parts[INVENTORY_FILE_PARTS] = {0};
    int rc = 0;
    for (int i = 0; rc == 0 && i < INVENTORY_FILE_PARTS; i++)
        rc = parse_part(f, i, &parts[i], err);
    if (rc == 0) {
        struct inventory_nornir documents = {parts[HOSTS].root, parts[GROUPS].root,
                                             parts[DEFAULTS].root};
        rc = inventory_parse_folder(&documents, f->unaddressed, out, err);
        if (rc != 0) place(f, parts, err);
    }
    for (int i = 0; i < INVENTORY_FILE_PARTS; i++)
        yml_deinit(&parts[i]);
    return rc;
}

int inventory_file_parse(const struct inventory_file *f, struct inventory **out,
                         struct error *err) {
    return f->folder ? parse_folder(f, out, err) : parse_file(f, out, err);
}
