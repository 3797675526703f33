// What a request says beside its body, in lines: method, target, Origin, Sec-Fetch-Site, the name
// of a query parameter, Content-Type. A line that is empty is a header that is not there.
#include "common/count.h"
#include "common/http_head.h"
#include "common/http_route.h"
#include "tests/fuzz/fuzz.h"

static const char *const list_query[] = {"state", "key", "limit", "after", NULL};
static const struct http_route list[] = {
    {HTTP_POST, "/upgrade-os/", NULL, .arg = NULL},
    {HTTP_GET, "/jobs/", NULL, .query = list_query},
    {HTTP_GET, "/jobs/{id}/", NULL, .arg = NULL},
    {HTTP_GET, "/jobs/{id}/hosts/", NULL, .query = list_query},
    {HTTP_POST, "/jobs/{id}/pause/", NULL, .arg = NULL},
    {HTTP_DELETE, "/faults/{id}/", NULL, .arg = NULL},
    {HTTP_GET, "/web/{file}", NULL, .query = http_any_query},
    {HTTP_GET, "/metrics/", NULL, .any_origin = true, .query = http_any_query},
};
static const char *const origins[] = {"https://noc.example"};
static const struct http_routes routes = {
    .list = list, .count = COUNT(list), .origins = origins, .origins_count = COUNT(origins)};

// The path is the route's with the parameter in its place.
static void check_routed(const struct http_ask *ask, const struct http_match *match) {
    const char *pattern = match->route->path, *open = strchr(pattern, '{');
    struct buf path = {0};
    if (open == NULL) {
        assert(strcmp(pattern, ask->path) == 0);
    } else {
        assert(match->param[0] != '\0' && strchr(match->param, '/') == NULL);
        buf_add(&path, pattern, (size_t)(open - pattern));
        buf_addf(&path, "%s%s", match->param, strchr(open, '}') + 1);
        assert(strcmp(path.data, ask->path) == 0);
    }
    buf_deinit(&path);
    if (match->route->method == HTTP_GET) return;
    assert(http_origin_is_trusted(&routes, ask->origin));
    assert(ask->origin != NULL || ask->fetch_site == NULL ||
           strcmp(ask->fetch_site, "cross-site") != 0);
}

static void check_match(const struct http_ask *ask) {
    struct http_match match, slashed;
    http_match(&routes, ask, &match);
    assert((match.verdict == HTTP_ROUTED) == (match.route != NULL));
    assert(strstr(match.allow, "OPTIONS") != NULL);
    if (match.verdict == HTTP_ROUTED) check_routed(ask, &match);
    if (match.verdict != HTTP_ADD_SLASH) return;
    struct buf path = {0};
    buf_addf(&path, "%s/", ask->path);
    struct http_ask other = *ask;
    other.path = path.data;
    http_match(&routes, &other, &slashed);
    assert(slashed.verdict != HTTP_NOT_FOUND && slashed.verdict != HTTP_ADD_SLASH);
    buf_deinit(&path);
}

static void check_problem(const char *path, const char *query) {
    char *problem = http_problem_json(404, query, path);
    fuzz_is_json(problem, strlen(problem));
    free(problem);
    const char *near = http_nearest_path(&routes, path);
    bool is_known = near == NULL;
    for (size_t i = 0; i < COUNT(list); i++)
        is_known = is_known || near == list[i].path;
    assert(is_known);
    for (size_t i = 0; i < COUNT(list); i++) {
        char detail[HTTP_QUERY_DETAIL_MAX] = "";
        const bool takes = http_takes_query(&list[i], query, detail);
        assert(takes == (detail[0] == '\0') && strlen(detail) < sizeof detail);
    }
}

// The path of a target lies within it, unless it has none, and so does the authority.
static void check_target(const char *target) {
    const char *host = NULL;
    size_t len = 0;
    const char *path = http_target_path(target, &host, &len);
    const char *end = target + strlen(target);
    assert((path >= target && path <= end) || (host != NULL && strcmp(path, "/") == 0));
    assert(host != NULL || (len == 0 && path == target));
    if (host != NULL) assert(host > target && host + len <= end);
}

static const char *or_null(const char *line) {
    return line == NULL || *line == '\0' ? NULL : line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { METHOD, PATH, ORIGIN, SITE, QUERY, TYPE, LINES };
    struct fuzz_lines lines = {(const char *)data, size};
    char *line[LINES];
    mem_init();
    for (int i = 0; i < LINES; i++)
        line[i] = fuzz_line(&lines);
    if (line[PATH] != NULL) {
        const struct http_ask ask = {line[METHOD], line[PATH], or_null(line[ORIGIN]),
                                     or_null(line[SITE])};
        check_match(&ask);
        check_target(line[PATH]);
        check_problem(line[PATH], line[QUERY] == NULL ? "" : line[QUERY]);
        if (ask.origin != NULL && http_origin_is_local(ask.origin))
            assert(strncmp(ask.origin, "http", 4) == 0 && strchr(ask.origin, '/') != NULL);
        if (line[TYPE] != NULL && http_is_json(line[TYPE]))
            assert(strncasecmp(line[TYPE], "application/json", 16) == 0);
    }
    for (int i = 0; i < LINES; i++)
        free(line[i]);
    return 0;
}
