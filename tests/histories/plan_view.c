// The network as a job sees it, reckoned anew for the referee: it shares nothing with the code that
// it judges.
#include "tests/histories/plan.h"

bool plan_has_rule(const struct plan *p, unsigned rule) {
    for (unsigned h = 0; h < p->hosts; h++)
        if (p->group[rule][h] > 0) return true;
    return false;
}

unsigned plan_group(const struct plan *p, unsigned view, unsigned rule, unsigned host) {
    if ((view & VIEW_INVENTORY) != 0 && p->change.kind == NEW_GROUP && rule == 0 &&
        host == p->change.host)
        return plan_has_rule(p, rule) ? p->change.group : 0;
    return p->group[rule][host];
}

bool plan_has_moved(const struct plan *p, unsigned view, unsigned host) {
    return (view & VIEW_INVENTORY) != 0 && p->change.kind == NEW_ADDRESS && p->change.host == host;
}

unsigned plan_first(const struct plan *p) {
    for (unsigned h = 0; h < p->hosts; h++)
        if ((p->first >> h & 1) != 0 && p->group[0][h] > 0) return p->first;
    return 0;
}

unsigned plan_limit(const struct plan *p, unsigned view, unsigned rule) {
    const bool is_other = (view & VIEW_POLICY) != 0 && p->policy_changes && rule == 0;
    return is_other ? 3 - p->limit[rule] : p->limit[rule]; // 1 or 2
}

unsigned plan_host_at(unsigned hosts, unsigned place) {
    unsigned host = 0;
    while ((hosts >> host & 1) == 0 || place-- > 0)
        host++;
    return host;
}

const struct plan_job *plan_root(const struct plan *p, unsigned job) {
    while (p->jobs[job].is_retry)
        job = p->jobs[job].retried;
    return &p->jobs[job];
}

static bool shares(const struct plan *p, unsigned view, unsigned rule, unsigned a, unsigned b) {
    return plan_group(p, view, rule, a) != 0 &&
           plan_group(p, view, rule, a) == plan_group(p, view, rule, b);
}

static bool are_tied(const struct plan *p, unsigned view, unsigned a, unsigned b) {
    return p->at_once > 0 || a == b || shares(p, view, 0, a, b) || shares(p, view, 1, a, b);
}

unsigned plan_component(const struct plan *p, unsigned view, unsigned host) {
    unsigned found = 1U << host, before = 0;
    while (found != before) {
        before = found;
        for (unsigned a = 0; a < p->hosts; a++)
            for (unsigned b = 0; b < p->hosts; b++)
                if ((found >> a & 1) != 0 && are_tied(p, view, a, b)) found |= 1U << b;
    }
    return found;
}

static bool is_moved(const struct plan *p, unsigned view, unsigned other, unsigned host) {
    return plan_has_moved(p, view, host) != plan_has_moved(p, other, host);
}

static bool is_alike(const struct plan *p, unsigned view, unsigned other, unsigned host) {
    if (is_moved(p, view, other, host)) return false;
    for (unsigned r = 0; r < PLAN_RULES; r++)
        if (plan_group(p, view, r, host) != plan_group(p, other, r, host)) return false;
    return true;
}

// A job knows its hosts' groups, who is in these, and everybody's address; not the other groups of
// those that are in them.
static bool matters(const struct plan *p, unsigned view, unsigned other, unsigned host,
                    unsigned of) {
    if (are_tied(p, view, host, of) && is_moved(p, view, other, of)) return true;
    for (unsigned r = 0; r < PLAN_RULES; r++)
        if (shares(p, view, r, host, of) != shares(p, other, r, host, of) ||
            plan_group(p, view, r, host) != plan_group(p, other, r, host))
            return true;
    return false;
}

bool plan_is_same(const struct plan *p, unsigned view, unsigned other, unsigned hosts, bool reads) {
    if (((view ^ other) & VIEW_POLICY) != 0 && p->policy_changes && plan_has_rule(p, 0))
        return false;
    for (unsigned h = 0; h < p->hosts; h++)
        for (unsigned of = 0; of < p->hosts; of++) {
            if ((hosts >> h & 1) == 0) continue;
            if (reads ? is_moved(p, view, other, h) : matters(p, view, other, h, of)) return false;
        }
    return true;
}

bool plan_is_opposite(const struct plan *p, unsigned view, unsigned hosts, unsigned canaries) {
    const unsigned first = plan_first(p);
    const unsigned ahead = hosts & first & ~canaries, behind = canaries & ~first;
    for (unsigned a = 0; a < p->hosts; a++)
        for (unsigned b = 0; b < p->hosts; b++)
            if ((ahead >> a & 1) != 0 && (behind >> b & 1) != 0 && shares(p, view, 0, a, b))
                return true;
    return false;
}

static unsigned concerned(const struct plan *p, unsigned view, unsigned hosts) {
    unsigned found = 0;
    for (unsigned h = 0; h < p->hosts; h++)
        if ((hosts >> h & 1) != 0) found |= plan_component(p, view, h);
    return found;
}

bool plan_agree(const struct plan *p, unsigned view, unsigned hosts, unsigned other_view,
                unsigned other_hosts) {
    const unsigned shared = concerned(p, view, hosts) & concerned(p, other_view, other_hosts);
    for (unsigned h = 0; h < p->hosts; h++) {
        const unsigned component = plan_component(p, view, h);
        if ((shared >> h & 1) == 0) continue;
        if (component != plan_component(p, other_view, h)) return false;
        for (unsigned of = 0; of < p->hosts; of++)
            if ((component >> of & 1) != 0 && !is_alike(p, view, other_view, of)) return false;
    }
    return true;
}
