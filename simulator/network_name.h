// How the devices of a type are named: a template such as "{site}-leaf{n:03}".
#pragma once

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    NETWORK_NAME_TEMPLATE_MAX = 100, // bytes
    NETWORK_NAME_PIECES_MAX = 16,
    NETWORK_NAME_DIGITS_MAX = 9
};

struct network_name_piece {
    enum { NETWORK_NAME_TEXT, NETWORK_NAME_SITE, NETWORK_NAME_TYPE, NETWORK_NAME_NUMBER } kind;
    unsigned digits;  // of a number, at least
    const char *text; // into the template
    size_t len;
};

struct network_name { // zeroed it names nothing
    char *template;
    struct network_name_piece pieces[NETWORK_NAME_PIECES_MAX];
    size_t len;
};

// Letters, digits, -, _ and ., and between braces site, dev_type, n, or n:03, the number with three
// digits at least. Deinit after success.
int network_name_parse(struct network_name *name, const char *template, struct error *err);
void network_name_deinit(struct network_name *name);

// Returns the length of the name; where it is not less than size, the text is cut.
size_t network_name_write(const struct network_name *name, const char *site, const char *type,
                          uint32_t number, char *text, size_t size);
