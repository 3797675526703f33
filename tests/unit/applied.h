// A policy on an inventory, both as text.
#pragma once

#include "common/yml.h"
#include "orchestrator/policy_grouping.h"
#include "tests/unit/inventories.h"

// "": ACME's.
static inline struct policy policy_of(const char *text) {
    struct policy p = {0};
    struct yml y = {0};
    struct error err;
    if (*text == '\0') {
        policy_default(&p);
        return p;
    }
    int rc = yml_parse(&y, "p.yaml", text, strlen(text), &err);
    if (rc == 0) rc = policy_parse(&p, y.root, &y, "p.yaml", &err);
    ck_assert_msg(rc == 0, "%s: %s", text, err.text);
    yml_deinit(&y);
    return p;
}

static inline struct selection all_of(const struct inventory *inventory) {
    const struct filter all = {.all = true};
    struct selection selection;
    struct error err;
    ck_assert_int_eq(inventory_select(inventory, &all, &all, &selection, &err), 0);
    return selection;
}

// By ACME's policy.
static inline struct grouping acme_groups(const struct inventory *inventory,
                                          const struct selection *selection) {
    struct policy policy = policy_of("");
    struct grouping grouping;
    struct error err;
    int rc = policy_grouping(&grouping, &policy, inventory, selection, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    policy_deinit(&policy);
    return grouping;
}

// Fields of a host in ACME's form, but for its name, dev_type and what is of interest.
#define HOST_FIELDS             "'platform': 'acmeos', 'hostname': '127.0.0.1', 'port': 8300"
#define PLAIN(name, type, more) "'" name "': {" HOST_FIELDS ", 'dev_type': '" type "'" more "}"
