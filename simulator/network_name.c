#include "simulator/network_name.h"

#include "common/mem.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong(const char *pattern, const char *why, struct error *err) {
    return error_set(err, "'%.80s': %s", pattern, why);
}

static bool is_word(const char *text, size_t len, const char *word) {
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

// "n", "n/2" or "n%8", and behind it ":03" or nothing.
static bool is_number(struct network_name_piece *piece) {
    const char *at = piece->text, *end = piece->text + piece->len;
    piece->digits = 1;
    if (*at++ != 'n') return false;
    if (*at == '/' || *at == '%') {
        piece->op = *at++;
        size_t digits = strspn(at, "0123456789");
        if (digits < 1 || digits > 6) return false;
        piece->operand = (uint32_t)strtoul(at, NULL, 10);
        if (piece->operand == 0) return false;
        at += digits;
    }
    if (at == end) return true;
    if (end - at != 3 || at[0] != ':' || at[1] != '0' || at[2] < '1' || at[2] > '9') return false;
    piece->digits = (unsigned)(at[2] - '0');
    return true;
}

static int parse_place(struct network_name_piece *piece, const char *pattern, struct error *err) {
    const char *text = piece->text;
    if (is_word(text, piece->len, "site"))
        piece->kind = NETWORK_NAME_SITE;
    else if (is_word(text, piece->len, "dev_type"))
        piece->kind = NETWORK_NAME_TYPE;
    else if (is_number(piece))
        piece->kind = NETWORK_NAME_NUMBER;
    else
        return error_set(err,
                         "'%.80s': {%.*s} is none of {site}, {dev_type}, {n}, {n:03}, {n/2} and "
                         "{n%%8}",
                         pattern, (int)(piece->len < 40 ? piece->len : 40), text);
    return 0;
}

static int check_text(const struct network_name_piece *piece, const char *pattern,
                      struct error *err) {
    for (size_t i = 0; i < piece->len; i++)
        if (!isalnum((unsigned char)piece->text[i]) && strchr("-_.", piece->text[i]) == NULL)
            return wrong(pattern, "a name is made of letters, digits, -, _ and .", err);
    return 0;
}

// The piece that begins at `at`; returns where the next one does, or NULL.
static const char *parse_piece(struct network_name_piece *piece, const char *pattern, bool host,
                               const char *at, struct error *err) {
    bool place = *at == '{';
    *piece = (struct network_name_piece){.text = place ? at + 1 : at};
    piece->len = strcspn(piece->text, "{}");
    const char *end = piece->text + piece->len;
    if (place != (*end == '}')) {
        wrong(pattern, place ? "a { without its }" : "a } without its {", err);
        return NULL;
    }
    int rc = 0;
    if (place)
        rc = parse_place(piece, pattern, err);
    else if (host)
        rc = check_text(piece, pattern, err);
    return rc != 0 ? NULL : place ? end + 1 : end;
}

int network_name_parse(struct network_name *name, const char *pattern, bool host,
                       struct error *err) {
    size_t len = strlen(pattern);
    if (len == 0 || len > NETWORK_NAME_TEMPLATE_MAX)
        return error_set(err, "expected a text of 1 to %d bytes", NETWORK_NAME_TEMPLATE_MAX);
    struct network_name parsed = {.pattern = mem_strdup(pattern)};
    for (const char *at = parsed.pattern; at != NULL && *at != '\0';) {
        if (parsed.len == NETWORK_NAME_PIECES_MAX) {
            wrong(pattern, "it has more than 16 pieces", err);
            at = NULL;
        } else {
            at = parse_piece(&parsed.pieces[parsed.len++], parsed.pattern, host, at, err);
        }
        if (at != NULL) continue;
        network_name_deinit(&parsed);
        return ERROR_INPUT;
    }
    *name = parsed;
    return 0;
}

void network_name_deinit(struct network_name *name) {
    free(name->pattern);
    *name = (struct network_name){0};
}

static uint32_t count_of(const struct network_name_piece *piece, uint32_t number) {
    if (piece->op == '/') return number / piece->operand;
    return piece->op == '%' ? number % piece->operand : number;
}

size_t network_name_write(const struct network_name *name, const char *site, const char *type,
                          uint32_t number, char *text, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < name->len; i++) {
        const struct network_name_piece *piece = &name->pieces[i];
        char digits[16];
        const char *from = piece->text;
        size_t len = piece->len;
        if (piece->kind == NETWORK_NAME_NUMBER) {
            len = (size_t)snprintf(digits, sizeof digits, "%0*u", (int)piece->digits,
                                   count_of(piece, number));
            from = digits;
        } else if (piece->kind != NETWORK_NAME_TEXT) {
            from = piece->kind == NETWORK_NAME_SITE ? site : type;
            len = strlen(from);
        }
        if (used + 1 < size)
            memcpy(text + used, from, len < size - used - 1 ? len : size - used - 1);
        used += len;
    }
    text[used < size ? used : size - 1] = '\0';
    return used;
}
