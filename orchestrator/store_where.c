#include "orchestrator/store_where.h"

#include "common/buf.h"
#include "common/count.h"
#include "common/utf8.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const schemes[] = {"postgresql://", "postgres://"};
static const char *const secrets[] = {"password=", "sslpassword="};

bool store_where_is_memory(const char *where) {
    return strcmp(where, "none") == 0;
}

// What stands behind the scheme; NULL: it is no URI of PostgreSQL's.
static const char *behind_scheme(const char *where) {
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (strncasecmp(where, schemes[i], strlen(schemes[i])) == 0)
            return where + strlen(schemes[i]);
    return NULL;
}

bool store_where_is_postgres(const char *where) {
    return behind_scheme(where) != NULL;
}

static bool is_secret(const char *parameter) {
    for (size_t i = 0; i < COUNT(secrets); i++)
        if (strncasecmp(parameter, secrets[i], strlen(secrets[i])) == 0) return true;
    return false;
}

// Parameters, of which those that are secret are left out. The name of one may be written with
// escapes: then nobody can say what it is, and it goes as well.
static void add_parameters(struct buf *out, const char *at) {
    char before = '?';
    while (*at != '\0') {
        const size_t len = strcspn(at, "&");
        const size_t name = strcspn(at, "=&%");
        if (!is_secret(at) && at[name] != '%') {
            buf_add(out, &before, 1);
            buf_add(out, at, len);
            before = '&';
        }
        at += len;
        if (*at == '&') at++;
    }
}

static void add_uri(struct buf *out, const char *where, const char *authority) {
    const size_t question = strcspn(authority, "?");
    // Whatever stands before the last @ of the authority: a password may have one that is not
    // escaped, and nothing of it is to be seen.
    const size_t len = strcspn(authority, "/?");
    const char *at = memrchr(authority, '@', len);
    if (at == NULL) at = memrchr(authority, '@', question);
    buf_add(out, where, (size_t)(authority - where));
    if (at != NULL) {
        const size_t user = strcspn(authority, ":@");
        buf_add(out, authority, user);
    }
    const char *rest = at == NULL ? authority : at;
    buf_add(out, rest, question - (size_t)(rest - authority));
    if (authority[question] == '?') add_parameters(out, authority + question + 1);
}

void store_where_show(const char *where, char shown[STORE_SHOWN_MAX]) {
    struct buf out = {0};
    const char *authority = behind_scheme(where);
    if (authority == NULL)
        buf_adds(&out, where);
    else
        add_uri(&out, where, authority);
    const size_t len = out.data == NULL ? 0 : utf8_fit(out.data, out.len, STORE_SHOWN_MAX - 1);
    snprintf(shown, STORE_SHOWN_MAX, "%.*s", (int)len, out.data == NULL ? "" : out.data);
    buf_deinit(&out);
}
