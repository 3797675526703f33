#include "common/http_route.h"

#include "common/buf.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "common/text.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned method_bit(const char *method) {
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) return HTTP_GET;
    if (strcmp(method, "POST") == 0) return HTTP_POST;
    if (strcmp(method, "DELETE") == 0) return HTTP_DELETE;
    if (strcmp(method, "OPTIONS") == 0) return HTTP_OPTIONS;
    return 0;
}

static bool path_matches(const char *pattern, const char *path, char param[HTTP_PARAM_MAX]) {
    const char *open = strchr(pattern, '{');
    if (open == NULL) return strcmp(pattern, path) == 0;
    size_t before = (size_t)(open - pattern);
    if (strncmp(pattern, path, before) != 0) return false;
    path += before;
    size_t len = strcspn(path, "/");
    if (len == 0 || len >= HTTP_PARAM_MAX) return false;
    if (strcmp(strchr(open, '}') + 1, path + len) != 0) return false;
    memcpy(param, path, len);
    param[len] = '\0';
    return true;
}

// All methods that routes offer on this path.
static unsigned methods_of(const struct http_routes *routes, const char *path, bool *any_origin) {
    unsigned methods = 0;
    char param[HTTP_PARAM_MAX];
    for (size_t i = 0; i < routes->count; i++) {
        if (!path_matches(routes->list[i].path, path, param)) continue;
        methods |= routes->list[i].method;
        *any_origin = *any_origin || routes->list[i].any_origin;
    }
    return methods;
}

static bool lacks_slash(const struct http_routes *routes, const char *path) {
    char with_slash[1024];
    bool any_origin = false;
    int len = snprintf(with_slash, sizeof with_slash, "%s/", path);
    if (len < 0 || (size_t)len >= sizeof with_slash) return false;
    return methods_of(routes, with_slash, &any_origin) != 0;
}

bool http_origin_is_local(const char *origin) {
    if (strncmp(origin, "http://", 7) == 0)
        origin += 7;
    else if (strncmp(origin, "https://", 8) == 0)
        origin += 8;
    else
        return false;
    if (strncmp(origin, "localhost", 9) != 0 && strncmp(origin, "127.0.0.1", 9) != 0) return false;
    origin += 9; // both have nine letters
    if (*origin == '\0') return true;
    size_t digits = *origin == ':' ? strspn(origin + 1, "0123456789") : 0;
    return digits > 0 && origin[1 + digits] == '\0';
}

static bool origin_allowed(const struct http_routes *routes, const char *origin, bool any_origin) {
    if (origin == NULL) return false;
    if (any_origin || http_origin_is_local(origin)) return true;
    for (size_t i = 0; i < routes->origins_count; i++)
        if (strcmp(routes->origins[i], origin) == 0) return true;
    return false;
}

static void write_allow(unsigned methods, char allow[HTTP_ALLOW_MAX]) {
    snprintf(allow, HTTP_ALLOW_MAX, "%s%s%sOPTIONS", methods & HTTP_GET ? "GET, HEAD, " : "",
             methods & HTTP_POST ? "POST, " : "", methods & HTTP_DELETE ? "DELETE, " : "");
}

bool http_origin_is_trusted(const struct http_routes *routes, const char *origin) {
    return origin == NULL || origin_allowed(routes, origin, false);
}

// A browser that sends no Origin says so at least where the page is of another site. What is no
// browser says nothing.
static bool is_of_another_site(const struct http_ask *ask) {
    return ask->origin == NULL && ask->fetch_site != NULL &&
           strcmp(ask->fetch_site, "same-origin") != 0 && strcmp(ask->fetch_site, "none") != 0;
}

void http_match(const struct http_routes *routes, const struct http_ask *ask,
                struct http_match *match) {
    *match = (struct http_match){.verdict = HTTP_NOT_FOUND};
    const char *path = ask->path;
    bool any_origin = false;
    unsigned methods = methods_of(routes, path, &any_origin);
    match->origin_allowed = origin_allowed(routes, ask->origin, any_origin);
    write_allow(methods, match->allow);
    if (methods == 0) {
        if (lacks_slash(routes, path)) match->verdict = HTTP_ADD_SLASH;
        return;
    }
    unsigned wanted = method_bit(ask->method);
    if (wanted == HTTP_OPTIONS) {
        match->verdict = HTTP_PREFLIGHT;
    } else if ((wanted & methods) == 0) {
        match->verdict = HTTP_WRONG_METHOD;
    } else if (wanted != HTTP_GET && !http_origin_is_trusted(routes, ask->origin)) {
        match->verdict = HTTP_FOREIGN_ORIGIN;
    } else if (wanted != HTTP_GET && is_of_another_site(ask)) {
        match->verdict = HTTP_FOREIGN_SITE;
    } else {
        for (size_t i = 0; i < routes->count && match->route == NULL; i++)
            if ((routes->list[i].method & wanted) != 0 &&
                path_matches(routes->list[i].path, path, match->param))
                match->route = &routes->list[i];
        match->verdict = HTTP_ROUTED;
    }
}

bool http_is_json(const char *content_type) {
    static const char json[] = "application/json";
    size_t len = strcspn(content_type, "; \t");
    return len == sizeof json - 1 && strncasecmp(content_type, json, len) == 0;
}

const char *http_nearest_path(const struct http_routes *routes, const char *path) {
    const char **paths = mem_array(routes->count, sizeof *paths);
    for (size_t i = 0; i < routes->count; i++)
        paths[i] = routes->list[i].path;
    const char *nearest = suggest(path, paths, routes->count);
    free(paths);
    return nearest;
}

const char *const http_any_query[] = {NULL};

bool http_takes_query(const struct http_route *route, const char *name,
                      char detail[HTTP_QUERY_DETAIL_MAX]) {
    if (route->query == http_any_query) return true;
    size_t count = 0;
    while (route->query != NULL && route->query[count] != NULL) {
        if (strcmp(route->query[count], name) == 0) return true;
        count++;
    }
    if (count == 0) {
        snprintf(detail, HTTP_QUERY_DETAIL_MAX, "%.100s takes no query parameter, not %.100s",
                 route->path, name);
        return false;
    }
    const char *nearest = suggest(name, route->query, count);
    struct buf known = {0};
    for (size_t i = 0; i < count; i++)
        buf_addf(&known, "%s%s", i == 0 ? "" : ", ", route->query[i]);
    snprintf(detail, HTTP_QUERY_DETAIL_MAX, "%.100s takes no query parameter %.100s; %s %.150s",
             route->path, name, nearest == NULL ? "known are" : "did you mean",
             nearest == NULL ? known.data : nearest);
    buf_deinit(&known);
    return false;
}

const char *http_status_text(int status) {
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 415:
        return "Unsupported Media Type";
    case 421:
        return "Misdirected Request";
    case 422:
        return "Unprocessable Content";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Internal Server Error";
    }
}

static void add_string(cJSON *object, const char *key, const char *text) {
    char *shown = mem_strdup(text);
    text_lines(shown);
    cJSON_AddStringToObject(object, key, shown);
    free(shown);
}

char *http_problem_json(int status, const char *field, const char *detail) {
    cJSON *problem = cJSON_CreateObject();
    cJSON_AddStringToObject(problem, "type", "about:blank");
    cJSON_AddStringToObject(problem, "title", http_status_text(status));
    cJSON_AddNumberToObject(problem, "status", status);
    add_string(problem, "detail", detail);
    if (field[0] != '\0') add_string(problem, "field", field);
    char *json = cJSON_PrintUnformatted(problem);
    cJSON_Delete(problem);
    struct buf text = {0};
    buf_addf(&text, "%s\n", json);
    cJSON_free(json);
    return buf_take(&text);
}
