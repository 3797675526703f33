#include "orchestrator/page.h"

#include "common/buf.h"
#include "common/count.h"
#include "common/embed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define JS   "text/javascript; charset=utf-8"
#define CSS  "text/css; charset=utf-8"
#define HTML "text/html; charset=utf-8"

// Without its comments: the Makefile.
#define X(symbol, file, type)                                                                      \
    EMBED(page_##symbol, "build/web/" file);                                                       \
    extern const char page_##symbol[];                                                             \
    extern const size_t page_##symbol##_len;
#include "orchestrator/page_files.def"
#undef X

// Fetched by orchestrator/docs/fetch.sh; empty where that could not be.
#define SWAGGER_UI "build/swagger-ui"
EMBED(page_bundle, SWAGGER_UI "/swagger-ui-bundle.js");
EMBED(page_bundle_css, SWAGGER_UI "/swagger-ui.css");
extern const char page_bundle[], page_bundle_css[];
extern const size_t page_bundle_len, page_bundle_css_len;

#define X(symbol, file, type) {file, type, page_##symbol, &page_##symbol##_len},
static const struct page_file files[] = {
#include "orchestrator/page_files.def"
};
#undef X

static const struct page_file docs_files[] = {
    {"swagger-ui-bundle.js", JS, page_bundle, &page_bundle_len},
    {"swagger-ui.css", CSS, page_bundle_css, &page_bundle_css_len},
    {"docs.js", JS, page_docs_js, &page_docs_js_len},
};

static const struct page_file *find(const struct page_file *list, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0) return &list[i];
    return NULL;
}

const struct page_file *page_find(const char *name) {
    return find(files, COUNT(files), name);
}

const struct page_file *page_find_docs(const char *name) {
    return find(docs_files, COUNT(docs_files), name);
}

// Returns where the page goes on.
static const char *fill_in(struct buf *out, const char *from, const char *name, const char *value) {
    static const char content[] = "\" content=\"";
    const char *at = strstr(strstr(from, name), content) + sizeof content - 1;
    buf_add(out, from, (size_t)(at - from));
    buf_adds(out, value);
    return at;
}

char *page_index(const struct page_facts *facts) {
    struct buf out = {0};
    char started[24], timeout[24];
    snprintf(started, sizeof started, "%lld", facts->started_ms);
    snprintf(timeout, sizeof timeout, "%" PRIu64, facts->install_timeout_ms);
    const char *at = fill_in(&out, page_index_html, "name=\"simulator",
                             facts->simulator == NULL ? "" : facts->simulator);
    at = fill_in(&out, at, "name=\"started-ms", started);
    at = fill_in(&out, at, "name=\"install-timeout-ms", timeout);
    buf_adds(&out, at);
    return buf_take(&out);
}

const char *page_docs(void) {
    return page_bundle_len > 0 ? page_docs_html : page_no_docs_html;
}

bool page_is_origin(const char *text) {
    static const char of_host[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    const char *host = strncmp(text, "http://", 7) == 0    ? text + 7
                       : strncmp(text, "https://", 8) == 0 ? text + 8
                                                           : "";
    return *host != '\0' && host[strspn(host, of_host)] == '\0';
}
