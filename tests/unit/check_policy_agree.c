// Which inventories may be worked on by two jobs at the same time.
#include "orchestrator/policy_agree.h"
#include "tests/unit/applied.h"

Suite *check_policy_agree(void);

#define AT(name, type, rack, port)                                                                 \
    "'" name "': {'platform': 'acmeos', 'hostname': '127.0.0.1', 'dev_type': '" type               \
    "', 'rack': '" rack "', 'port': " port "}"
#define LEAVES "'earth': {" AT("a", "leaf", "1", "1") ", " AT("b", "leaf", "1", "1") "}"
#define PAIRS                                                                                      \
    "'earth': {" AT("a", "leaf", "1", "1") ", " AT("b", "leaf", "1", "1") ", " AT(                 \
        "c", "leaf", "2", "1") ", " AT("d", "leaf", "2", "1") "}"
#define MARS "'mars': {" AT("m", "leaf", "1", "1") ", " AT("n", "leaf", "1", "1") "}"

static const struct {
    const char *what;
    const char *policy;
    const char *one, *one_selects, *other, *other_selects;
    bool agree;
} cases[] = {
    {"the same again", "", "{" PAIRS "}", "abcd", "{" PAIRS "}", "abcd", true},
    {"in another order", "", "{" LEAVES ", " MARS "}", "abmn", "{" MARS ", " LEAVES "}", "abmn",
     true},
    {"a host has another peer", "", "{" PAIRS "}", "abcd",
     "{'earth': {" AT("a", "leaf", "1", "1") ", " AT("c", "leaf", "1", "1") ", " AT(
         "b", "leaf", "2", "1") ", " AT("d", "leaf", "2", "1") "}}",
     "abcd", false},
    {"a host has another address", "", "{" LEAVES "}", "ab",
     "{'earth': {" AT("a", "leaf", "1", "1") ", " AT("b", "leaf", "1", "2") "}}", "ab", false},
    {"a host is of another platform", "", "{" LEAVES "}", "a",
     "{'earth': {" AT("a", "leaf", "1", "1") ", 'b': {'platform': 'ios', 'hostname': '127.0.0.1', "
                                             "'dev_type': 'leaf', 'rack': '1', "
                                             "'port': 1}}}",
     "a", false},
    {"a member is gone", "", "{" LEAVES "}", "a", "{'earth': {" AT("a", "leaf", "1", "1") "}}", "a",
     false},
    {"a member is new", "", "{'earth': {" AT("a", "leaf", "1", "1") "}}", "a", "{" LEAVES "}", "a",
     false},
    {"what has changed concerns neither", "",
     "{'earth': {" AT("a", "leaf", "1", "1") ", " AT("c", "leaf", "2", "1") "}}", "a",
     "{'earth': {" AT("a", "leaf", "1", "1") ", " AT("c", "leaf", "3", "1") "}}", "a", true},
    {"what has changed concerns one only", "",
     "{'earth': {" AT("a", "leaf", "1", "1") ", " AT("c", "leaf", "2", "1") "}}", "ac",
     "{'earth': {" AT("a", "leaf", "1", "1") ", " AT("c", "leaf", "3", "1") "}}", "a", true},
    {"they share nothing", "", "{" LEAVES ", " MARS "}", "ab",
     "{'earth': {" AT("a", "spine", "1", "1") "}, " MARS "}", "mn", true},
    {"a host that one has selected is a member for the other", "", "{" LEAVES "}", "a",
     "{'earth': {" AT("a", "leaf", "2", "1") ", " AT("b", "leaf", "1", "1") "}}", "a", false},
    {"a throttle ties what groups do not",
     "{redundancy: [{group: \"{site}_{dev_type}_{rack}\"}], throttle: [{group: \"{site}\", "
     "at_once: 2}]}",
     "{" LEAVES "}", "ab",
     "{'earth': {" AT("a", "leaf", "1", "1") ", " AT("b", "leaf", "1", "1") ", " AT("z", "leaf",
                                                                                    "9", "1") "}}",
     "ab", false},
    {"tied over a third that neither has selected",
     "{ungrouped: allow, redundancy: [{group: \"{site}_{dev_type}\"}, {group: \"{rack}\"}]}",
     "{'earth': {" AT("a", "x", "1", "1") ", " AT("t", "x", "2",
                                                  "1") "}, 'mars': {" AT("b", "y", "2", "1") "}}",
     "a",
     "{'earth': {" AT("a", "x", "1", "1") ", " AT("t", "x", "2",
                                                  "1") "}, 'mars': {" AT("b", "y", "3", "1") "}}",
     "b", false},
    {"who goes first is another", "{redundancy: [{group: \"{site}\", first: {rack: \"1\"}}]}",
     "{'earth': {" AT("a", "x", "1", "1") ", " AT("b", "x", "2", "1") "}}", "ab",
     "{'earth': {" AT("a", "x", "2", "1") ", " AT("b", "x", "1", "1") "}}", "ab", false},
};

static struct selection select_hosts(const struct inventory *inventory, const char *names) {
    struct selection all = all_of(inventory);
    size_t count = 0;
    for (size_t i = 0; i < all.count; i++)
        if (strchr(names, inventory->hosts[all.hosts[i]].name[0]) != NULL)
            all.hosts[count++] = all.hosts[i];
    all.count = count;
    return all;
}

START_TEST(jobs_agree_where_they_see_what_they_share_alike) {
    struct policy policy = policy_of(cases[_i].policy);
    struct inventory *one = inventory_of(cases[_i].one), *other = inventory_of(cases[_i].other);
    struct selection a = select_hosts(one, cases[_i].one_selects);
    struct selection b = select_hosts(other, cases[_i].other_selects);
    const struct job_view x = {.inventory = one, .selection = &a},
                          y = {.inventory = other, .selection = &b};
    const char *host = NULL;
    ck_assert_msg(policy_agree(&policy, &x, &y, &host) == cases[_i].agree, "%s", cases[_i].what);
    ck_assert_msg((host == NULL || *host == '\0') <= cases[_i].agree, "%s", cases[_i].what);
    ck_assert_msg(policy_agree(&policy, &y, &x, &host) == cases[_i].agree, "%s, the other way",
                  cases[_i].what);
    ck_assert(policy_agree(&policy, &x, &x, &host));
    selection_deinit(&a);
    selection_deinit(&b);
    inventory_unref(one);
    inventory_unref(other);
    policy_deinit(&policy);
}
END_TEST

// What the views have beside inventory and selection: those of LEAVES and MARS.
static const struct {
    const char *what;
    struct job_view one;
    const char *one_selects;
    struct job_view other;
    const char *other_selects;
    bool agree;
} views[] = {
    {"the same shards",
     {.shards = (uint16_t[]){3, 3}},
     "ab",
     {.shards = (uint16_t[]){3, 3}},
     "ab",
     true},
    {"by another host the component has another shard",
     {.shards = (uint16_t[]){3}, .is_moved = true},
     "a",
     {.shards = (uint16_t[]){4}},
     "b",
     false},
    {"of the component two hosts have two shards",
     {.shards = (uint16_t[]){4, 3}, .is_moved = true},
     "ab",
     {.shards = (uint16_t[]){3, 3}},
     "ab",
     false},
    {"other components may be anywhere",
     {.shards = (uint16_t[]){3}, .is_moved = true},
     "a",
     {.shards = (uint16_t[]){4}},
     "m",
     true},
    {"what reads is asked by another node",
     {.shards = (uint16_t[]){3}, .is_moved = true},
     "a",
     {.shards = (uint16_t[]){4}, .reads = true},
     "b",
     false},
    {"what reads and is where the other is",
     {.shards = (uint16_t[]){3}, .is_moved = true},
     "a",
     {.shards = (uint16_t[]){3}, .reads = true},
     "b",
     true},
    {"without shards all are in the first",
     {.is_moved = true},
     "a",
     {.shards = (uint16_t[]){4}, .reads = true},
     "a",
     false},
    // of an excerpt nobody knows what ties its hosts, though it has all hosts
    {"an excerpt and a host that it names", {.is_excerpt = true}, "a", {0}, "b", false},
    {"an excerpt and the peer of a host that it names", {.is_excerpt = true}, "a", {0}, "n", false},
    {"two excerpts", {.is_excerpt = true}, "a", {.is_excerpt = true}, "n", false},
};

START_TEST(jobs_agree_where_one_node_has_what_they_share) {
    struct policy policy = policy_of("");
    struct inventory *inventory = inventory_of("{" LEAVES ", " MARS "}");
    struct selection a = select_hosts(inventory, views[_i].one_selects);
    struct selection b = select_hosts(inventory, views[_i].other_selects);
    struct job_view x = views[_i].one, y = views[_i].other;
    const char *host = NULL;
    x.inventory = y.inventory = inventory;
    x.selection = &a;
    y.selection = &b;
    ck_assert_msg(policy_agree(&policy, &x, &y, &host) == views[_i].agree, "%s", views[_i].what);
    ck_assert_msg(policy_agree(&policy, &y, &x, &host) == views[_i].agree, "%s, the other way",
                  views[_i].what);
    selection_deinit(&a);
    selection_deinit(&b);
    inventory_unref(inventory);
    policy_deinit(&policy);
}
END_TEST

// An excerpt of one site has nothing to do with another.
START_TEST(an_excerpt_is_in_the_way_of_those_alone_that_it_names) {
    struct policy policy = policy_of("");
    struct inventory *excerpt = inventory_of("{" LEAVES "}"),
                     *whole = inventory_of("{" LEAVES ", " MARS "}");
    struct selection a = select_hosts(excerpt, "a");
    const char *host = NULL;
    static const char *const selected[] = {"mn", "mb"};
    for (size_t i = 0; i < COUNT(selected); i++) {
        struct selection b = select_hosts(whole, selected[i]);
        const struct job_view x = {.inventory = excerpt, .selection = &a, .is_excerpt = true},
                              y = {.inventory = whole, .selection = &b};
        ck_assert(policy_agree(&policy, &x, &y, &host) == (i == 0));
        ck_assert(policy_agree(&policy, &y, &x, &host) == (i == 0));
        selection_deinit(&b);
    }
    ck_assert_str_eq(host, "a");
    selection_deinit(&a);
    inventory_unref(excerpt);
    inventory_unref(whole);
    policy_deinit(&policy);
}
END_TEST

Suite *check_policy_agree(void) {
    Suite *suite = suite_create("policy_agree");
    TCase *tcase = tcase_create("policy_agree");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, jobs_agree_where_they_see_what_they_share_alike, 0, COUNT(cases));
    tcase_add_loop_test(tcase, jobs_agree_where_one_node_has_what_they_share, 0, COUNT(views));
    tcase_add_test(tcase, an_excerpt_is_in_the_way_of_those_alone_that_it_names);
    return suite;
}
