// The network of a history, and its policy, as the orchestrator is given them: as text, through
// its own readers.
#include "common/inventory_parse.h"
#include "common/json.h"
#include "common/yml.h"
#include "tests/histories/world_internal.h"

#include <stdio.h>
#include <stdlib.h>

static void give_up(const struct error *err) {
    fprintf(stderr, "histories: %s\n", err->text);
    abort();
}

static void write_host(const struct plan *p, unsigned view, unsigned h, struct buf *out) {
    buf_addf(out,
             "%s\"h%u\": {\"hostname\": \"127.0.0.%u\", \"port\": 830, \"platform\": \"acmeos\", "
             "\"dev_type\": \"leaf\", \"role\": \"%s\"",
             h == 0 ? "" : ", ", h, h + (plan_has_moved(p, view, h) ? 101 : 1),
             (p->first >> h & 1) != 0 ? "standby" : "active");
    for (unsigned r = 0; r < PLAN_RULES; r++)
        if (plan_group(p, view, r, h) > 0)
            buf_addf(out, ", \"%c\": \"%u\"", "ab"[r], plan_group(p, view, r, h));
    if (plan_has_login(p, h)) buf_addf(out, ", \"password\": \"p%u\"", h);
    buf_adds(out, "}");
}

static struct inventory *make_inventory(const struct plan *p, unsigned view) {
    struct buf text = {0};
    struct inventory *inventory = NULL;
    cJSON *document = NULL;
    struct error err;
    buf_adds(&text, "{\"s\": {");
    for (unsigned h = 0; h < p->hosts; h++)
        write_host(p, view, h, &text);
    buf_adds(&text, "}}");
    if (json_parse(text.data, text.len, &document, &err) != 0 ||
        inventory_parse(document, &inventory, &err) != 0)
        give_up(&err);
    cJSON_Delete(document);
    buf_deinit(&text);
    return inventory;
}

static void write_rules(const struct plan *p, unsigned view, struct buf *out) {
    buf_adds(out, "redundancy:\n");
    for (unsigned r = 0; r < PLAN_RULES; r++)
        if (plan_has_rule(p, r))
            buf_addf(out, "  - {group: \"%c{%c}\", max_unavailable: %u%s}\n", "ab"[r], "ab"[r],
                     plan_limit(p, view, r),
                     r == 0 && plan_first(p) != 0 ? ", first: {role: standby}" : "");
    if (p->at_once > 0)
        buf_addf(out, "throttle:\n  - {group: \"{site}\", at_once: %u}\n", p->at_once);
}

static void make_policy(const struct plan *p, unsigned view, struct policy *policy) {
    struct buf text = {0};
    struct yml y = {0};
    struct error err;
    write_rules(p, view, &text);
    int rc = yml_parse(&y, "policy", text.data, text.len, &err);
    if (rc == 0) rc = policy_parse(policy, y.root, &y, NULL, &err);
    if (rc != 0) give_up(&err);
    yml_deinit(&y);
    buf_deinit(&text);
}

void network_make(struct world *w) {
    w->inventories[0] = make_inventory(w->plan, 0);
    w->inventories[1] = make_inventory(w->plan, VIEW_INVENTORY);
    make_policy(w->plan, 0, &w->policies[0]);
    make_policy(w->plan, VIEW_POLICY, &w->policies[1]);
}

void network_free(struct world *w) {
    for (unsigned i = 0; i < 2; i++) {
        inventory_unref(w->inventories[i]);
        policy_deinit(&w->policies[i]);
    }
}

// --- as it is now

unsigned world_view(const struct world *w) {
    const struct plan *p = w->plan;
    unsigned view = 0;
    if (p->change.kind != NO_CHANGE && w->now_ms >= p->change.at_ms && !w->is_put_right)
        view |= VIEW_INVENTORY;
    if (w->at->has_other_policy) view |= VIEW_POLICY;
    return view;
}

struct inventory *world_inventory(const struct world *w) {
    return w->inventories[(world_view(w) & VIEW_INVENTORY) != 0];
}

const struct policy *world_policy(const struct world *w) {
    return &w->policies[(world_view(w) & VIEW_POLICY) != 0];
}
