// A policy file, up to the groups that its rules give hosts of any attributes.
#include "common/policy.h"
#include "tests/fuzz/fuzz.h"

struct asked { // a host whose attributes depend on their number alone
    const struct policy *policy;
    size_t variant, groups;
};

static struct attribute_values value_of(const void *arg, size_t attribute) {
    static const char *const values[] = {"leaf", "1:x", "a_b", "100", "standby", "earth"};
    const struct asked *asked = arg;
    size_t from = (attribute + asked->variant) % 4;
    return (struct attribute_values){values + from, (attribute * 7 + asked->variant) % 3};
}

// Its name is its template, filled in: as long as the template's texts and the values.
static void on_group(void *arg, const char *key) {
    struct asked *asked = arg;
    const struct policy_rule *rule = policy_rule_of(asked->policy, key);
    size_t len = 0;
    struct buf name = {0};
    policy_write_name(asked->policy, key, &name);
    for (size_t i = 0; i < rule->pieces_count; i++)
        len += strlen(rule->pieces[i].text) + (rule->pieces[i].has_attribute ? 1 : 0);
    assert(name.len >= len);
    buf_deinit(&name);
    asked->groups++;
}

static void check_rule(const struct policy *p, const struct policy_rule *rule, size_t variant) {
    struct asked asked = {.policy = p, .variant = variant};
    struct attributes host = {value_of, &asked};
    struct error err;
    struct buf told = {0};
    int rc = policy_groups(p, rule, &host, on_group, &asked, &err);
    assert(rc == 0);
    bool applies = policy_wants(rule, &host) && policy_lacking(p, rule, &host) == NULL;
    assert(applies == (asked.groups > 0) && asked.groups <= POLICY_HOST_GROUPS_MAX);
    policy_write_rule(p, rule, &told);
    assert(told.len > 0);
    buf_deinit(&told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct yml y = {0};
    struct policy p;
    struct error err = {0};
    mem_init();
    if (yml_parse(&y, "policy.yaml", (const char *)data, size, &err) != 0) return 0;
    int rc = policy_parse(&p, y.root, &y, "policy.yaml", &err);
    if (rc != 0) {
        yml_place(&y, "policy.yaml", &err);
        assert(rc == ERROR_INPUT && strncmp(err.text, "policy.yaml:", 12) == 0);
    }
    yml_deinit(&y);
    if (rc != 0) return 0;
    for (size_t i = 0; i < p.count; i++) {
        assert(p.rules[i].limit >= 1 && p.rules[i].limit <= POLICY_LIMIT_MAX);
        assert(i == 0 || p.rules[i - 1].redundancy || !p.rules[i].redundancy);
        for (size_t variant = 0; variant < 6; variant++)
            check_rule(&p, &p.rules[i], variant);
    }
    policy_deinit(&p);
    return 0;
}
