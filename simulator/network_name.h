// Texts that differ from device to device of a type: a template such as "{site}-leaf{n:03}" of
// their names, or "{n/2}" of an attribute.
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NETWORK_NAME_TEMPLATE_MAX = 100, // bytes
    NETWORK_NAME_PIECES_MAX = 16,
    NETWORK_NAME_OPERAND_MAX = 999999
};

struct network_name_piece {
    enum { NETWORK_NAME_TEXT, NETWORK_NAME_SITE, NETWORK_NAME_TYPE, NETWORK_NAME_NUMBER } kind;
    unsigned digits; // of a number, at least
    char op;         // '/' or '%', and its operand; 0: none
    uint32_t operand;
    const char *text; // into the pattern
    size_t len;
};

struct network_name { // zeroed it names nothing
    char *pattern;
    struct network_name_piece pieces[NETWORK_NAME_PIECES_MAX];
    size_t len;
};

// Text, and between braces site, dev_type, or n, the device's number, which may be divided, n/2 or
// n%8, and have leading zeros, n:03 with three digits at least. In the name of a host the text is
// made of letters, digits, -, _ and . alone. Deinit after success.
int network_name_parse(struct network_name *name, const char *pattern, bool host,
                       struct error *err);
void network_name_deinit(struct network_name *name);

// Returns the length of the name; where it is not less than size, the text is cut.
size_t network_name_write(const struct network_name *name, const char *site, const char *type,
                          uint32_t number, char *text, size_t size);
