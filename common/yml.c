// libyaml's events, one pass, no document tree between. The builder below holds the way from the
// root to the value under construction as its own stack, so that depth is bounded by a number.
#include "common/yml.h"

#include "common/file.h"
#include "common/mem.h"
#include "common/strmap.h"
#include "common/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct yml_mark {
    const cJSON *value;
    unsigned line, column; // from 1
};

struct level {
    cJSON *container;
    cJSON *last; // the newest child: cJSON appends through a list walk, this does not
    char *key;   // of an object, read but still without its value
    struct strmap keys;
};

struct builder {
    struct yml *y;
    const char *name;
    struct level levels[YML_DEPTH_MAX];
    int depth;
    struct strmap anchors; // anchor -> cJSON
    char **anchor_names;
    size_t anchors_len;
    size_t values;
    struct error *err;
};

static int wrong(struct builder *b, yaml_mark_t at, const char *what) {
    return error_set(b->err, "%s:%zu:%zu: %s", b->name, at.line + 1, at.column + 1, what);
}

static void mark(struct builder *b, const cJSON *value, yaml_mark_t at) {
    struct yml *y = b->y;
    y->marks = mem_grow(y->marks, &y->marks_cap, y->marks_len + 1, sizeof *y->marks);
    y->marks[y->marks_len++] =
        (struct yml_mark){value, (unsigned)at.line + 1, (unsigned)at.column + 1};
}

// A JSON number, all of it, or a spelling of YAML's core schema that means one.
static bool is_number(const char *s) {
    if (*s == '-' || *s == '+') s++;
    size_t whole = strspn(s, "0123456789");
    s += whole;
    size_t fraction = 0;
    if (*s == '.') fraction = strspn(++s, "0123456789");
    s += fraction;
    if (whole + fraction == 0) return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        if (*s == '-' || *s == '+') s++;
        size_t exponent = strspn(s, "0123456789");
        if (exponent == 0) return false;
        s += exponent;
    }
    return *s == '\0';
}

static bool any_of(const char *s, const char *const *words) {
    for (; *words != NULL; words++)
        if (strcmp(s, *words) == 0) return true;
    return false;
}

static cJSON *plain_scalar(const char *s) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    if (any_of(s, nulls)) return cJSON_CreateNull();
    if (any_of(s, trues)) return cJSON_CreateTrue();
    if (any_of(s, falses)) return cJSON_CreateFalse();
    if (!is_number(s)) return cJSON_CreateString(s);
    cJSON *number = cJSON_CreateNumber(strtod(s, NULL));
    number->valuestring = mem_strdup(s); // cJSON copies and frees it with the value
    return number;
}

static bool wants_key(const struct builder *b) {
    if (b->depth == 0) return false;
    const struct level *top = &b->levels[b->depth - 1];
    return cJSON_IsObject(top->container) && top->key == NULL;
}

// Hangs a value under the container that is open, or makes it the root.
static void attach(struct builder *b, cJSON *value) {
    if (b->depth == 0) {
        b->y->root = value;
        return;
    }
    struct level *top = &b->levels[b->depth - 1];
    value->string = top->key; // cJSON frees it with the value
    top->key = NULL;
    if (value->string != NULL) strmap_put(&top->keys, value->string, value);
    if (top->last == NULL) {
        top->container->child = value;
    } else {
        top->last->next = value;
        value->prev = top->last;
    }
    top->container->child->prev = value; // cJSON keeps the last child there
    top->last = value;
}

static int name_anchor(struct builder *b, const yaml_char_t *anchor, cJSON *value, yaml_mark_t at) {
    if (anchor == NULL) return 0;
    char *name = mem_strdup((const char *)anchor);
    if (strmap_put(&b->anchors, name, value) != NULL) {
        free(name); // which is not told: it may be a password that lacks its quotes
        return wrong(b, at, "an anchor is defined twice");
    }
    b->anchor_names = mem_resize(b->anchor_names, b->anchors_len + 1, sizeof *b->anchor_names);
    b->anchor_names[b->anchors_len++] = name;
    return 0;
}

static int add_value(struct builder *b, cJSON *value, const yaml_char_t *anchor, yaml_mark_t at) {
    attach(b, value); // from here on it is freed with the root
    mark(b, value, at);
    if (++b->values > YML_VALUES_MAX) return wrong(b, at, "the document is too large");
    return name_anchor(b, anchor, value, at);
}

static int take_key(struct builder *b, const yaml_event_t *event) {
    struct level *top = &b->levels[b->depth - 1];
    const char *key = (const char *)event->data.scalar.value;
    if (strlen(key) != event->data.scalar.length)
        return wrong(b, event->start_mark, "a key cannot hold a zero byte");
    if (strcmp(key, "<<") == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return wrong(b, event->start_mark,
                     "merge keys (<<) are not supported: write the fields out");
    if (strmap_get(&top->keys, key) != NULL) {
        char text[160];
        snprintf(text, sizeof text, "%.100s: given twice", key);
        return wrong(b, event->start_mark, text);
    }
    top->key = mem_strdup(key);
    return 0;
}

static int take_scalar(struct builder *b, const yaml_event_t *event) {
    if (wants_key(b)) return take_key(b, event);
    const char *s = (const char *)event->data.scalar.value;
    if (strlen(s) != event->data.scalar.length)
        return wrong(b, event->start_mark, "a value cannot hold a zero byte");
    if (event->data.scalar.tag != NULL)
        return wrong(b, event->start_mark, "tags are not supported: quote a value to make it text");
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    cJSON *value = plain ? plain_scalar(s) : cJSON_CreateString(s);
    return add_value(b, value, event->data.scalar.anchor, event->start_mark);
}

static int open_container(struct builder *b, cJSON *container, const yaml_char_t *anchor,
                          const yaml_char_t *tag, yaml_mark_t at) {
    const char *why = NULL;
    if (wants_key(b))
        why = "a key must be a scalar";
    else if (tag != NULL)
        why = "tags are not supported";
    else if (b->depth == YML_DEPTH_MAX)
        why = "nested too deeply";
    if (why != NULL) {
        cJSON_Delete(container);
        return wrong(b, at, why);
    }
    int rc = add_value(b, container, anchor, at);
    b->levels[b->depth++] = (struct level){.container = container};
    return rc;
}

static void close_container(struct builder *b) {
    struct level *top = &b->levels[--b->depth];
    free(top->key);
    strmap_deinit(&top->keys);
}

// Adds what a copy would take. Stops early: an anchor may hold most of a large document.
static void count_copy(const cJSON *value, struct yml *y) {
    y->aliased_values++;
    if (value->valuestring != NULL) y->aliased_bytes += strlen(value->valuestring);
    for (const cJSON *child = value->child; child != NULL; child = child->next) {
        if (y->aliased_values > YML_ALIASED_VALUES_MAX || y->aliased_bytes > YML_ALIASED_BYTES_MAX)
            return;
        if (child->string != NULL) y->aliased_bytes += strlen(child->string);
        count_copy(child, y);
    }
}

static int depth_of(const cJSON *value) {
    int deepest = 0;
    const cJSON *child;
    cJSON_ArrayForEach(child, value) {
        int depth = depth_of(child);
        if (depth > deepest) deepest = depth;
    }
    return deepest + (cJSON_IsArray(value) || cJSON_IsObject(value));
}

static int take_alias(struct builder *b, const yaml_event_t *event) {
    if (wants_key(b)) return wrong(b, event->start_mark, "a key cannot be an alias");
    const cJSON *value = strmap_get(&b->anchors, (const char *)event->data.alias.anchor);
    if (value == NULL) return wrong(b, event->start_mark, "alias of an unknown anchor");
    for (int i = 0; i < b->depth; i++)
        if (b->levels[i].container == value)
            return wrong(b, event->start_mark, "an alias inside of what it repeats");
    if (b->depth + depth_of(value) > YML_DEPTH_MAX) // or aliases of aliases exhaust the stack
        return wrong(b, event->start_mark, "nested too deeply");
    count_copy(value, b->y);
    if (b->y->aliased_values > YML_ALIASED_VALUES_MAX ||
        b->y->aliased_bytes > YML_ALIASED_BYTES_MAX)
        return wrong(b, event->start_mark, "aliases repeat too much: write less with them");
    cJSON *copy = cJSON_Duplicate(value, true);
    free(copy->string);
    copy->string = NULL;
    return add_value(b, copy, NULL, event->start_mark);
}

static int take_event(struct builder *b, const yaml_event_t *event, int *documents) {
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++*documents > 1)
            return wrong(b, event->start_mark, "one document only: remove what follows ---");
        return 0;
    case YAML_SCALAR_EVENT:
        return take_scalar(b, event);
    case YAML_ALIAS_EVENT:
        return take_alias(b, event);
    case YAML_MAPPING_START_EVENT:
        return open_container(b, cJSON_CreateObject(), event->data.mapping_start.anchor,
                              event->data.mapping_start.tag, event->start_mark);
    case YAML_SEQUENCE_START_EVENT:
        return open_container(b, cJSON_CreateArray(), event->data.sequence_start.anchor,
                              event->data.sequence_start.tag, event->start_mark);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        close_container(b);
        return 0;
    default:
        return 0;
    }
}

static int parser_error(struct builder *b, const yaml_parser_t *parser) {
    yaml_mark_t at = parser->problem_mark;
    const char *problem = parser->problem == NULL ? "not readable" : parser->problem;
    if (parser->error == YAML_READER_ERROR)
        return error_set(b->err, "%s: not YAML: %s at byte %zu", b->name, problem,
                         parser->problem_offset + 1);
    return error_set(b->err, "%s:%zu:%zu: not YAML: %s", b->name, at.line + 1, at.column + 1,
                     problem);
}

static int by_address(const void *a, const void *b) {
    const struct yml_mark *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

int yml_parse(struct yml *y, const char *name, const char *text, size_t len, struct error *err) {
    struct builder *b = mem_zalloc(sizeof *b);
    *b = (struct builder){.y = y, .name = name, .err = err};
    *y = (struct yml){0};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) abort(); // it only allocates
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);

    int rc = 0, documents = 0;
    for (bool done = false; !done && rc == 0;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            rc = parser_error(b, &parser);
            break;
        }
        rc = take_event(b, &event, &documents);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    if (rc == 0 && y->root == NULL) rc = error_set(err, "%s: it is empty", name);

    yaml_parser_delete(&parser);
    while (b->depth > 0)
        close_container(b);
    for (size_t i = 0; i < b->anchors_len; i++)
        free(b->anchor_names[i]);
    free(b->anchor_names);
    strmap_deinit(&b->anchors);
    free(b);
    if (rc != 0)
        yml_deinit(y);
    else
        qsort(y->marks, y->marks_len, sizeof *y->marks, by_address);
    return rc;
}

int yml_load(struct yml *y, const char *path, struct error *err) {
    struct buf text = {0};
    int rc = file_read(path, &text, err);
    if (rc == 0) rc = yml_parse(y, path, text.data, text.len, err);
    buf_deinit(&text);
    return rc;
}

void yml_deinit(struct yml *y) {
    cJSON_Delete(y->root);
    free(y->marks);
    *y = (struct yml){0};
}

static const struct yml_mark *find_mark(const struct yml *y, const cJSON *value) {
    struct yml_mark key = {.value = value};
    if (value == NULL || y->marks_len == 0) return NULL;
    return bsearch(&key, y->marks, y->marks_len, sizeof key, by_address);
}

unsigned yml_line(const struct yml *y, const cJSON *value) {
    const struct yml_mark *found = find_mark(y, value);
    return found == NULL ? 0 : found->line;
}

bool yml_before(const struct yml *y, const cJSON *one, const cJSON *other) {
    const struct yml_mark *a = find_mark(y, one), *b = find_mark(y, other);
    if (a == NULL || b == NULL) return a == NULL && b != NULL;
    return a->line < b->line || (a->line == b->line && a->column < b->column);
}

void yml_place(const struct yml *y, const char *name, struct error *err) {
    const struct yml_mark *found = find_mark(y, err->at);
    if (found != NULL)
        error_from(err, "%.100s:%u:%u", name, found->line, found->column);
    else
        error_from(err, "%.100s", name);
}
