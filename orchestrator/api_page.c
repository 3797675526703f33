// The page asks nobody but the service and, in a demonstration, the simulator, and runs no script
// but its own: a Content-Security-Policy has the browser see to that.
#include "orchestrator/api_page.h"

#include "common/buf.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

const enum api_page_part api_page_index = API_PAGE_INDEX, api_page_web = API_PAGE_WEB,
                         api_page_docs_index = API_PAGE_DOCS_INDEX, api_page_docs = API_PAGE_DOCS;

struct api_page {
    char *index;
    char *policy; // what the page may do
};

// Swagger UI sets styles as it goes, and asks the service at any address of this machine.
static const char docs_policy[] = "default-src 'none'; script-src 'self'; style-src 'self' "
                                  "'unsafe-inline'; img-src 'self' data:; "
                                  "connect-src 'self' http://127.0.0.1:* http://localhost:*; "
                                  "base-uri 'none'; form-action 'none'; "
                                  "frame-ancestors 'none'";

struct api_page *api_page_new(const struct page_facts *facts) {
    const char *simulator = facts->simulator;
    struct api_page *page = mem_zalloc(sizeof *page);
    struct buf policy = {0};
    buf_addf(&policy,
             "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
             "connect-src 'self'%s%s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
             simulator == NULL ? "" : " ", simulator == NULL ? "" : simulator);
    page->policy = buf_take(&policy);
    page->index = page_index(facts);
    return page;
}

void api_page_free(struct api_page *page) {
    if (page == NULL) return;
    free(page->index);
    free(page->policy);
    free(page);
}

static void answer(struct http_request *r, const char *policy, const char *type, const char *bytes,
                   size_t len) {
    struct buf body = {0};
    buf_add(&body, bytes, len);
    if (policy != NULL) http_answer_header(r, "Content-Security-Policy", policy);
    http_answer_header(r, "Cross-Origin-Opener-Policy", "same-origin");
    http_answer_header(r, "Referrer-Policy", "no-referrer");
    http_answer_header(r, "Cache-Control", "no-cache");
    http_answer(r, 200, type, buf_take(&body), len);
}

static void answer_file(struct http_request *r, const struct page_file *file) {
    if (file != NULL)
        answer(r, NULL, file->type, file->bytes, *file->len);
    else
        http_answer_problem(r, 404, "there is no file %.100s of the page", http_param(r));
}

void api_page_answer(const struct api_page *page, struct http_request *r) {
    static const char html[] = "text/html; charset=utf-8";
    switch (*(const enum api_page_part *)http_arg(r)) {
    case API_PAGE_INDEX:
        answer(r, page->policy, html, page->index, strlen(page->index));
        break;
    case API_PAGE_WEB:
        answer_file(r, page_find(http_param(r)));
        break;
    case API_PAGE_DOCS_INDEX:
        answer(r, docs_policy, html, page_docs(), strlen(page_docs()));
        break;
    case API_PAGE_DOCS:
        answer_file(r, page_find_docs(http_param(r)));
        break;
    }
}
