// An inventory on disk: a file, JSON or YAML, of any form; or a folder with Nornir's hosts.yaml,
// and groups.yaml and defaults.yaml where there are. Reading and parsing are apart, for who may
// have lost interest between the two.
#pragma once

#include "common/buf.h"
#include "common/inventory.h"

#include <stdbool.h>

enum { INVENTORY_FILE_PARTS = 3 };

struct inventory_file {
    const char *path; // borrowed
    bool folder;
    bool unaddressed; // set it before the parsing: inventory_parse_unaddressed()
    struct buf texts[INVENTORY_FILE_PARTS]; // a file has one
    bool has[INVENTORY_FILE_PARTS];
};

// max: bytes of each file. Errors begin with the path. Deinit after success and after errors.
int inventory_file_read(struct inventory_file *f, const char *path, size_t max, struct error *err);
size_t inventory_file_size(const struct inventory_file *f); // bytes of text
// Errors of YAML begin with path:line:column. *out has one reference, the caller's.
int inventory_file_parse(const struct inventory_file *f, struct inventory **out, struct error *err);
void inventory_file_deinit(struct inventory_file *f);

// Whether it could be read now, without reading it.
int inventory_file_probe(const char *path, size_t max, struct error *err);
