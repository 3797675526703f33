// Images of jobs, of an inventory and a policy as texts.
#pragma once

#include "common/policy_hash.h"
#include "orchestrator/job_image.h"
#include "tests/unit/applied.h"

// What an image is made of.
struct made {
    struct inventory *inventory;
    struct selection selection;
    struct grouping grouping;
    uint64_t policy;
};

static inline bool is_chosen(const char *chosen, const char *host) { // "a b c"
    const size_t len = strlen(host);
    for (const char *at = chosen; (at = strstr(at, host)) != NULL; at += len)
        if ((at == chosen || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0')) return true;
    return false;
}

// chosen: the selected hosts' names; NULL: all.
static inline struct made make(const char *network, const char *policy_text, const char *chosen) {
    struct made m = {.inventory = inventory_of(network)};
    struct policy policy = policy_of(policy_text);
    struct error err;
    m.selection = all_of(m.inventory);
    size_t kept = 0;
    for (size_t i = 0; i < m.selection.count; i++)
        if (chosen == NULL || is_chosen(chosen, m.inventory->hosts[i].name))
            m.selection.hosts[kept++] = (uint32_t)i;
    m.selection.count = kept;
    policy.given = false; // its rules need not apply
    int rc = policy_grouping(&m.grouping, &policy, m.inventory, &m.selection, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    m.policy = policy_hash(&policy);
    policy_deinit(&policy);
    return m;
}

static inline struct buf image_of_made(const struct made *m) {
    struct buf image = {0};
    job_image_write(&image, m->inventory, &m->selection, &m->grouping, m->policy);
    return image;
}

static inline void unmake(struct made *m) {
    grouping_deinit(&m->grouping);
    selection_deinit(&m->selection);
    inventory_unref(m->inventory);
}

static inline struct buf image_of(const char *network, const char *policy, const char *chosen) {
    struct made m = make(network, policy, chosen);
    struct buf image = image_of_made(&m);
    unmake(&m);
    return image;
}
