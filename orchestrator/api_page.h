// GET /, /web/{file}, /docs/ and /docs/{file} of the orchestrator: the page, and Swagger UI.
#pragma once

#include "common/http.h"
#include "orchestrator/page.h"

struct api_page;

struct api_page *api_page_new(const struct page_facts *facts);
void api_page_free(struct api_page *page); // takes NULL

// What the routes' arg points to.
enum api_page_part { API_PAGE_INDEX, API_PAGE_WEB, API_PAGE_DOCS_INDEX, API_PAGE_DOCS };
extern const enum api_page_part api_page_index, api_page_web, api_page_docs_index, api_page_docs;

void api_page_answer(const struct api_page *page, struct http_request *r);
