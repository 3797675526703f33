#include "common/json.h"

#include "common/strmap.h"
#include "common/suggest.h"
#include "common/utf8.h"

#include <math.h>
#include <string.h>

static size_t digits_len(const char *s, size_t left) {
    size_t len = 0;
    while (len < left && s[len] >= '0' && s[len] <= '9')
        len++;
    return len;
}

// Length of the number that starts at s, or 0 where it is none (RFC 8259: 01, 1. and 1e are not).
static size_t number_len(const char *s, size_t left) {
    size_t at = s[0] == '-' ? 1 : 0;
    size_t whole = digits_len(s + at, left - at);
    if (whole == 0 || (whole > 1 && s[at] == '0')) return 0;
    at += whole;
    if (at < left && s[at] == '.') {
        size_t fraction = digits_len(s + at + 1, left - at - 1);
        if (fraction == 0) return 0;
        at += 1 + fraction;
    }
    if (at < left && (s[at] == 'e' || s[at] == 'E')) {
        at++;
        if (at < left && (s[at] == '+' || s[at] == '-')) at++;
        size_t exponent = digits_len(s + at, left - at);
        if (exponent == 0) return 0;
        at += exponent;
    }
    return at;
}

// What cJSON would let pass without a word. Every line from a device and the whole inventory pass
// here, so runs of bytes that mean nothing are skipped by a table.
enum { TOKEN = 1, TEXT = 2 }; // a byte to look at outside, or inside, of a string

static const unsigned char byte_classes[256] = {
    [0x00 ... 0x08] = TOKEN | TEXT,
    ['\t'] = TEXT,
    ['\n'] = TEXT,
    [0x0b ... 0x0c] = TOKEN | TEXT,
    ['\r'] = TEXT,
    [0x0e ... 0x1f] = TOKEN | TEXT,
    ['"'] = TOKEN | TEXT,
    ['\\'] = TEXT,
    ['-'] = TOKEN,
    ['0' ... '9'] = TOKEN,
    [0x80 ... 0xff] = TOKEN | TEXT,
};

// The number that four hexadecimal digits at s stand for, or -1 where they are none.
static int hex4(const unsigned char *s, size_t left) {
    int n = 0;
    if (left < 4) return -1;
    for (size_t i = 0; i < 4; i++) {
        unsigned char c = s[i] | 0x20; // a digit stays one, a letter becomes small
        if (c >= '0' && c <= '9' && c == s[i])
            n = n * 16 + (c - '0');
        else if (c >= 'a' && c <= 'f')
            n = n * 16 + (c - 'a' + 10);
        else
            return -1;
    }
    return n;
}

// Length of the escape that starts at s, or 0 where it is none: \x, \uzzzz (which cJSON takes for
// U+0000), half of a surrogate pair.
static size_t escape_len(const unsigned char *s, size_t left) {
    enum { UNIT = 6, PAIR = 2 * UNIT }; // \uXXXX
    if (left < 2 || s[1] == '\0' || strchr("\"\\/bfnrtu", s[1]) == NULL) return 0;
    if (s[1] != 'u') return 2;
    int unit = hex4(s + 2, left - 2);
    if (unit < 0xd800 || unit > 0xdfff) return unit < 0 ? 0 : UNIT;
    if (unit > 0xdbff || left < PAIR || s[UNIT] != '\\' || s[UNIT + 1] != 'u') return 0;
    int low = hex4(s + UNIT + 2, left - UNIT - 2);
    return low < 0xdc00 || low > 0xdfff ? 0 : PAIR;
}

static int check_escape(const unsigned char *s, size_t left, size_t *len, size_t at,
                        struct error *err) {
    *len = escape_len(s, left);
    if (*len == 0) return error_set(err, "not JSON: no escape that JSON knows at byte %zu", at);
    if (*len == 6 && memcmp(s, "\\u0000", 6) == 0)
        return error_set(err, "\\u0000 at byte %zu: a string cannot hold it", at);
    return 0;
}

static int check_text(const char *text, size_t len, struct error *err) {
    const unsigned char *bytes = (const unsigned char *)text;
    bool in_string = false;
    for (size_t i = 0;;) {
        unsigned char stop = in_string ? TEXT : TOKEN;
        while (i < len && (byte_classes[bytes[i]] & stop) == 0)
            i++;
        if (i == len) return 0;
        size_t step = 1;
        if (bytes[i] == '"') {
            in_string = !in_string;
        } else if (bytes[i] < 0x20) {
            return error_set(err, "not JSON: control character at byte %zu", i + 1);
        } else if (bytes[i] >= 0x80) {
            step = utf8_len(bytes + i, len - i);
            if (step == 0) return error_set(err, "not JSON: byte %zu is not UTF-8", i + 1);
        } else if (bytes[i] == '\\') {
            int rc = check_escape(bytes + i, len - i, &step, i + 1, err);
            if (rc != 0) return rc;
        } else {
            step = number_len(text + i, len - i);
            if (step == 0) return error_set(err, "not JSON: no number at byte %zu", i + 1);
        }
        i += step;
    }
}

static int twice(const cJSON *second, struct error *err) {
    error_set(err, "given twice");
    error_in(err, "%.100s", second->string);
    err->at = second;
    return ERROR_INPUT;
}

static int check_keys(const cJSON *value, struct error *err) {
    enum { FEW = 12 };
    const cJSON *child;
    size_t count = 0, index = 0;
    int rc = 0;
    struct strmap seen = {0};
    if (cJSON_IsObject(value)) {
        cJSON_ArrayForEach(child, value) count++;
    }
    cJSON_ArrayForEach(child, value) {
        if (count > FEW) {
            if (strmap_put(&seen, child->string, value->child) != NULL) rc = twice(child, err);
        } else if (count > 1) {
            for (const cJSON *c = value->child; c != child; c = c->next)
                if (strcmp(c->string, child->string) == 0) rc = twice(child, err);
        }
        if (rc == 0 && child->child != NULL) {
            rc = check_keys(child, err);
            if (rc != 0 && child->string != NULL) error_in(err, "%s", child->string);
            if (rc != 0 && child->string == NULL) error_in(err, "[%zu]", index);
        }
        if (rc != 0) break;
        index++;
    }
    strmap_deinit(&seen);
    return rc;
}

int json_parse(const char *text, size_t len, cJSON **out, struct error *err) {
    if (len == 0) return error_set(err, "not JSON: it is empty");
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return error_set(err, "not JSON: it begins with a byte order mark");
    int rc = check_text(text, len, err);
    if (rc != 0) return rc;
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, len, &end, false);
    if (json == NULL)
        return error_set(err, "not JSON: syntax error at byte %zu",
                         end == NULL ? 1 : (size_t)(end - text) + 1);
    while (end < text + len && strchr(" \t\r\n", *end) != NULL)
        end++;
    if (end != text + len)
        rc = error_set(err, "not JSON: more follows the value, from byte %zu on",
                       (size_t)(end - text) + 1);
    if (rc == 0) rc = check_keys(json, err);
    if (rc != 0) {
        cJSON_Delete(json);
        err->at = NULL;
        return rc;
    }
    *out = json;
    return 0;
}

void json_add_text(struct buf *out, const cJSON *value) {
    if (value->valuestring != NULL) {
        buf_adds(out, value->valuestring);
        return;
    }
    char *text = cJSON_PrintUnformatted(value);
    buf_adds(out, text);
    cJSON_free(text);
}

const char *json_type_name(const cJSON *value) {
    if (value == NULL) return "nothing";
    if (cJSON_IsString(value)) return "a string";
    if (cJSON_IsNumber(value)) return "a number";
    if (cJSON_IsArray(value)) return "an array";
    if (cJSON_IsObject(value)) return "an object";
    if (cJSON_IsNull(value)) return "null";
    return "a boolean";
}

static int expected(const cJSON *value, const char *what, struct error *err) {
    error_set(err, "expected %s, not %s", what, json_type_name(value));
    err->at = value;
    return ERROR_INPUT;
}

// "expected..." becomes "key: expected...".
static int named(int rc, const char *key, struct error *err) {
    if (rc == 0) return 0;
    error_in(err, "%s", key);
    return rc;
}

static int find(const cJSON *object, const char *key, bool required, const cJSON **field,
                struct error *err) {
    *field = cJSON_GetObjectItemCaseSensitive(object, key);
    if (*field != NULL || !required) return 0;
    error_set(err, "missing");
    err->at = object;
    return named(ERROR_INPUT, key, err);
}

int json_as_string(const cJSON *value, const char **out, struct error *err) {
    if (!cJSON_IsString(value)) return expected(value, "a string", err);
    *out = value->valuestring;
    return 0;
}

int json_as_uint(const cJSON *value, uint64_t low, uint64_t high, uint64_t *out,
                 struct error *err) {
    if (!cJSON_IsNumber(value)) return expected(value, "a whole number", err);
    double n = value->valuedouble;
    if (n != floor(n) || n < (double)low || n > (double)high || n >= 0x1p64) {
        error_set(err, "expected a whole number from %llu to %llu, not %g", (unsigned long long)low,
                  (unsigned long long)high, n);
        err->at = value;
        return ERROR_INPUT;
    }
    *out = (uint64_t)n;
    return 0;
}

int json_as_object(const cJSON *value, struct error *err) {
    return cJSON_IsObject(value) ? 0 : expected(value, "an object", err);
}

static int get_string(const cJSON *object, const char *key, bool required, const char **out,
                      struct error *err) {
    const cJSON *field;
    int rc = find(object, key, required, &field, err);
    if (rc != 0 || field == NULL) return rc;
    return named(json_as_string(field, out, err), key, err);
}

int json_string(const cJSON *object, const char *key, const char **out, struct error *err) {
    return get_string(object, key, true, out, err);
}

int json_string_opt(const cJSON *object, const char *key, const char **out, struct error *err) {
    return get_string(object, key, false, out, err);
}

const char *json_text(const cJSON *object, const char *key) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(value) ? value->valuestring : "";
}

int json_uint(const cJSON *object, const char *key, uint64_t low, uint64_t high, uint64_t *out,
              struct error *err) {
    const cJSON *field;
    int rc = find(object, key, true, &field, err);
    if (rc != 0) return rc;
    return named(json_as_uint(field, low, high, out, err), key, err);
}

int json_uint_opt(const cJSON *object, const char *key, uint64_t low, uint64_t high, uint64_t *out,
                  struct error *err) {
    if (cJSON_GetObjectItemCaseSensitive(object, key) == NULL) return 0;
    return json_uint(object, key, low, high, out, err);
}

int json_number(const cJSON *object, const char *key, double low, double high, double *out,
                struct error *err) {
    const cJSON *field;
    int rc = find(object, key, true, &field, err);
    if (rc != 0) return rc;
    if (!cJSON_IsNumber(field)) return named(expected(field, "a number", err), key, err);
    if (!(field->valuedouble >= low && field->valuedouble <= high)) {
        error_set(err, "expected a number from %g to %g, not %g", low, high, field->valuedouble);
        err->at = field;
        return named(ERROR_INPUT, key, err);
    }
    *out = field->valuedouble;
    return 0;
}

int json_number_opt(const cJSON *object, const char *key, double low, double high, double *out,
                    struct error *err) {
    if (cJSON_GetObjectItemCaseSensitive(object, key) == NULL) return 0;
    return json_number(object, key, low, high, out, err);
}

int json_object_opt(const cJSON *object, const char *key, const cJSON **out, struct error *err) {
    const cJSON *field = cJSON_GetObjectItemCaseSensitive(object, key);
    if (field == NULL) return 0;
    int rc = named(json_as_object(field, err), key, err);
    if (rc == 0) *out = field;
    return rc;
}

int json_object(const cJSON *object, const char *key, const cJSON **out, struct error *err) {
    const cJSON *field;
    int rc = find(object, key, true, &field, err);
    return rc != 0 ? rc : json_object_opt(object, key, out, err);
}

int json_only(const cJSON *object, const char *const *known, size_t count, struct error *err) {
    const cJSON *field;
    cJSON_ArrayForEach(field, object) {
        size_t i = 0;
        while (i < count && strcmp(field->string, known[i]) != 0)
            i++;
        if (i < count) continue;
        const char *near = suggest(field->string, known, count);
        if (near != NULL)
            error_set(err, "unknown field; did you mean %s?", near);
        else
            error_set(err, "unknown field");
        error_in(err, "%.100s", field->string);
        err->at = field;
        return ERROR_INPUT;
    }
    return 0;
}
