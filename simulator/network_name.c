#include "simulator/network_name.h"

#include "common/mem.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong(const char *template, const char *why, struct error *err) {
    return error_set(err, "'%.80s': %s", template, why);
}

static bool is_word(const char *text, size_t len, const char *word) {
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

// "n", or "n:03" to "n:09".
static bool is_number(const char *text, size_t len, unsigned *digits) {
    *digits = 1;
    if (is_word(text, len, "n")) return true;
    if (len != 4 || memcmp(text, "n:0", 3) != 0 || text[3] < '1' || text[3] > '9') return false;
    *digits = (unsigned)(text[3] - '0');
    return true;
}

static int parse_place(struct network_name_piece *piece, const char *template, struct error *err) {
    const char *text = piece->text;
    if (is_word(text, piece->len, "site"))
        piece->kind = NETWORK_NAME_SITE;
    else if (is_word(text, piece->len, "dev_type"))
        piece->kind = NETWORK_NAME_TYPE;
    else if (is_number(text, piece->len, &piece->digits))
        piece->kind = NETWORK_NAME_NUMBER;
    else
        return error_set(err, "'%.80s': {%.*s} is none of {site}, {dev_type}, {n} and {n:03}",
                         template, (int)(piece->len < 40 ? piece->len : 40), text);
    return 0;
}

static int check_text(const struct network_name_piece *piece, const char *template,
                      struct error *err) {
    for (size_t i = 0; i < piece->len; i++)
        if (!isalnum((unsigned char)piece->text[i]) && strchr("-_.", piece->text[i]) == NULL)
            return wrong(template, "a name is made of letters, digits, -, _ and .", err);
    return 0;
}

// The piece that begins at `at`; returns where the next one does, or NULL.
static const char *parse_piece(struct network_name_piece *piece, const char *template,
                               const char *at, struct error *err) {
    bool place = *at == '{';
    *piece = (struct network_name_piece){.text = place ? at + 1 : at};
    piece->len = strcspn(piece->text, "{}");
    const char *end = piece->text + piece->len;
    if (place != (*end == '}')) {
        wrong(template, place ? "a { without its }" : "a } without its {", err);
        return NULL;
    }
    int rc = place ? parse_place(piece, template, err) : check_text(piece, template, err);
    return rc != 0 ? NULL : place ? end + 1 : end;
}

int network_name_parse(struct network_name *name, const char *template, struct error *err) {
    size_t len = strlen(template);
    if (len == 0 || len > NETWORK_NAME_TEMPLATE_MAX)
        return error_set(err, "expected a text of 1 to %d bytes", NETWORK_NAME_TEMPLATE_MAX);
    struct network_name new = {.template = mem_strdup(template)};
    for (const char *at = new.template; at != NULL &&*at != '\0';) {
        if (new.len == NETWORK_NAME_PIECES_MAX) {
            wrong(template, "it has more than 16 pieces", err);
            at = NULL;
        } else {
            at = parse_piece(&new.pieces[new.len++], new.template, at, err);
        }
        if (at != NULL) continue;
        network_name_deinit(&new);
        return ERROR_INPUT;
    }
    *name = new;
    return 0;
}

void network_name_deinit(struct network_name *name) {
    free(name->template);
    *name = (struct network_name){0};
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
            len = (size_t)snprintf(digits, sizeof digits, "%0*u", (int)piece->digits, number);
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
