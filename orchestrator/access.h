// Who may do what: bearer tokens (RFC 6750), each with a name and a role. Of a token only its
// SHA-256 is known, so that the file of them lets nobody in. Pure.
//
// The file has a line for each token, as `orchestrator token` prints it:
//
//      # who      may      SHA-256 of the token
//      grafana    read     9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//
// A name may have several tokens: so one can be taken out of use after another is in use.
#pragma once

#include "common/buf.h"
#include "common/error.h"
#include "common/http_route.h"

enum {
    ACCESS_TOKENS_MAX = 1000,
    ACCESS_NAME_MAX = 64,    // letters, digits and . _ - @
    ACCESS_TOKEN_BYTES = 32, // of randomness
    ACCESS_TOKEN_TEXT = 2 * ACCESS_TOKEN_BYTES + 1
};

struct access; // immutable

// Errors say which line is wrong, and what it has to be; a file without a token is one.
int access_parse(const char *text, size_t len, struct access **out, struct error *err);
// The same of a file, which is refused where others than its owner may read it.
int access_load(const char *path, struct access **access, struct error *err);
void access_free(struct access *access); // takes NULL

// What the header Authorization of a request is worth. changes: it wants more than to read. *who:
// the name of the token, the access' own; only where there is one. How long that takes tells
// nothing of the tokens.
enum http_admission access_admit(const struct access *access, const char *authorization,
                                 bool changes, const char **who);

// A token of such bytes, which must be random; and the line of the file for it. role is "read" or
// "operate".
void access_token(const unsigned char bytes[ACCESS_TOKEN_BYTES], char token[ACCESS_TOKEN_TEXT]);
int access_line(const char *name, const char *role, const char *token, struct buf *line,
                struct error *err);
