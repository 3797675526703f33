#include "orchestrator/access.h"

#include "common/mem.h"
#include "common/secret.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHA256_BYTES = 32,
    SHA256_TEXT = 2 * SHA256_BYTES + 1,
    FILE_MAX = 256 * 1024,
    TOKEN_TEXT_MAX = 512, // of what a client says it is
};

struct token {
    char name[ACCESS_NAME_MAX + 1];
    bool operates; // else it reads
    unsigned char hash[SHA256_BYTES];
};

struct access {
    struct token *tokens;
    size_t count;
};

// --- texts

static void hash_of(const char *token, size_t len, unsigned char hash[SHA256_BYTES]) {
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, token, len, hash) != 0) abort(); // it only computes
}

static void write_hex(const unsigned char *bytes, size_t count, char *text) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 0xf];
    }
    *text = '\0';
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hash(const char *text, unsigned char hash[SHA256_BYTES]) {
    if (strlen(text) != SHA256_TEXT - 1) return false;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        hash[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

// What stands in the wrong place may be a token: no error quotes it.
static int check_name(const char *name, struct error *err) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";
    size_t len = strlen(name);
    if (len > 0 && len <= ACCESS_NAME_MAX && strspn(name, plain) == len) return 0;
    return error_set(err, "expected a name first, of %d letters, digits, . _ - and @ at most",
                     ACCESS_NAME_MAX);
}

static int read_role(const char *role, bool *operates, struct error *err) {
    *operates = strcmp(role, "operate") == 0;
    if (*operates || strcmp(role, "read") == 0) return 0;
    return error_set(err, "expected a role behind the name: read or operate");
}

// --- the file

static int add_token(struct access *access, char *line, struct error *err) {
    char *rest;
    const char *name = strtok_r(line, " \t\r", &rest), *role = strtok_r(NULL, " \t\r", &rest),
               *hash = strtok_r(NULL, " \t\r", &rest);
    struct token token = {0};
    if (name == NULL || *name == '#') return 0;
    if (hash == NULL || strtok_r(NULL, " \t\r", &rest) != NULL)
        return error_set(err, "expected a name, a role and a SHA-256: see orchestrator token");
    int rc = check_name(name, err);
    if (rc == 0) rc = read_role(role, &token.operates, err);
    if (rc != 0) return rc;
    if (!read_hash(hash, token.hash)) // what it is may be a token
        return error_set(err, "the third word is no SHA-256, of 64 hexadecimal digits in lower "
                              "case: see orchestrator token");
    for (size_t i = 0; i < access->count; i++)
        if (memcmp(access->tokens[i].hash, token.hash, SHA256_BYTES) == 0)
            return error_set(err, "%s has the token of %s: each needs one of its own", name,
                             access->tokens[i].name);
    if (access->count == ACCESS_TOKENS_MAX)
        return error_set(err, "%d tokens at most", ACCESS_TOKENS_MAX);
    strcpy(token.name, name);
    access->tokens[access->count++] = token;
    return 0;
}

static int add_lines(struct access *access, char *text, struct error *err) {
    int rc = 0;
    size_t number = 1;
    for (char *line = text, *end; rc == 0 && line != NULL; line = end, number++) {
        end = strchr(line, '\n');
        if (end != NULL) *end++ = '\0';
        rc = add_token(access, line, err);
        if (rc != 0) error_from(err, "line %zu", number);
    }
    if (rc == 0 && access->count == 0)
        rc = error_set(err, "there is no token in it: orchestrator token prints a line for it");
    return rc;
}

int access_parse(const char *text, size_t len, struct access **out, struct error *err) {
    if (memchr(text, '\0', len) != NULL) return error_set(err, "it has a NUL: it is no text");
    struct access *access = mem_zalloc(sizeof *access);
    char *copy = mem_strndup(text, len);
    access->tokens = mem_array(ACCESS_TOKENS_MAX, sizeof *access->tokens);
    int rc = add_lines(access, copy, err);
    free(copy);
    if (rc == 0)
        *out = access;
    else
        access_free(access);
    return rc;
}

int access_load(const char *path, struct access **access, struct error *err) {
    struct buf text = {0};
    int rc = secret_read_private(path, FILE_MAX, &text, err);
    if (rc == 0 && (rc = access_parse(text.len == 0 ? "" : text.data, text.len, access, err)) != 0)
        error_from(err, "%.200s", path);
    buf_deinit(&text);
    return rc;
}

void access_free(struct access *access) {
    if (access == NULL) return;
    free(access->tokens);
    free(access);
}

// --- requests

// RFC 6750: b64token. NULL: it is no bearer token.
static const char *token_of(const char *authorization) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/";
    const char *token = authorization + strspn(authorization, " \t");
    if (strncasecmp(token, "bearer ", 7) != 0) return NULL;
    token += 7;
    token += strspn(token, " ");
    size_t len = strspn(token, plain);
    if (len > 0) len += strspn(token + len, "=");
    return len == 0 || len > TOKEN_TEXT_MAX || token[len] != '\0' ? NULL : token;
}

enum http_admission access_admit(const struct access *access, const char *authorization,
                                 bool changes, const char **who) {
    unsigned char hash[SHA256_BYTES];
    const struct token *found = NULL;
    if (authorization == NULL) return HTTP_NO_TOKEN;
    const char *token = token_of(authorization);
    if (token == NULL) return HTTP_MALFORMED;
    hash_of(token, strlen(token), hash);
    for (size_t i = 0; i < access->count; i++) // all of them, whatever was found
        if (gnutls_memcmp(access->tokens[i].hash, hash, SHA256_BYTES) == 0)
            found = &access->tokens[i];
    if (found == NULL) return HTTP_WRONG_TOKEN;
    *who = found->name;
    return changes && !found->operates ? HTTP_FORBIDDEN : HTTP_ADMITTED;
}

// --- new ones

void access_token(const unsigned char bytes[ACCESS_TOKEN_BYTES], char token[ACCESS_TOKEN_TEXT]) {
    write_hex(bytes, ACCESS_TOKEN_BYTES, token);
}

int access_line(const char *name, const char *role, const char *token, struct buf *line,
                struct error *err) {
    unsigned char hash[SHA256_BYTES];
    char text[SHA256_TEXT];
    bool operates;
    int rc = check_name(name, err);
    if (rc == 0) rc = read_role(role, &operates, err);
    if (rc != 0) return rc;
    hash_of(token, strlen(token), hash);
    write_hex(hash, SHA256_BYTES, text);
    buf_addf(line, "%s %s %s\n", name, role, text);
    return 0;
}
