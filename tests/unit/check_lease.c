// The lease, by its rules one by one; and over random histories of nodes, whose clocks have nothing
// in common, whose writes and answers are late or lost, and which stand still for as long as they
// like: no two may act for a shard at the same time.
#include "common/count.h"
#include "common/mem.h"
#include "common/rng.h"
#include "orchestrator/lease.h"
#include "tests/unit/seeds.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *check_lease(void);

static struct lease_node node(const char *id, uint64_t beat) {
    struct lease_node node = {.beat = beat, .is_ready = true};
    snprintf(node.id, sizeof node.id, "%s", id);
    return node;
}

static struct lease_wants look_at(struct lease *lease, const struct lease_node *nodes, size_t count,
                                  uint32_t free_shards, uint64_t now_ms) {
    const struct lease_view view = {
        .nodes = nodes, .count = count, .free_shards = free_shards, .age_ms = UINT64_MAX};
    return lease_look(lease, &view, false, true, now_ms);
}

START_TEST(a_lease_runs_from_the_sending_and_not_from_the_answer) {
    struct lease lease;
    lease_init(&lease, "a", 4);
    ck_assert(!lease_may_act(&lease, 100));
    ck_assert(!lease_acknowledge(&lease, 100, 900)); // it has joined
    ck_assert(lease_may_act(&lease, 100 + LEASE_ACT_MS - 1));
    ck_assert(!lease_may_act(&lease, 100 + LEASE_ACT_MS));
    ck_assert(!lease_pass(&lease, 100 + LEASE_ACT_MS - 1));
    ck_assert(lease_pass(&lease, 100 + LEASE_ACT_MS));
    ck_assert_int_eq(lease.state, LEASE_QUIET);
    ck_assert(!lease_pass(&lease, 200 + LEASE_ACT_MS)); // once
    lease_deinit(&lease);
}
END_TEST

START_TEST(an_answer_that_comes_too_late_is_none) {
    struct lease lease;
    lease_init(&lease, "a", 4);
    ck_assert(!lease_acknowledge(&lease, 100, 100 + LEASE_ACT_MS));
    ck_assert_int_eq(lease.state, LEASE_JOINED);
    ck_assert(!lease_acknowledge(&lease, 200, 300));
    lease_pass(&lease, 200 + LEASE_ACT_MS);
    ck_assert(!lease_acknowledge(&lease, 5000 + LEASE_ACT_MS, 5100 + LEASE_ACT_MS));
    ck_assert_int_eq(lease.state, LEASE_ALIVE);
    ck_assert(lease_acknowledge(&lease, 5200 + LEASE_ACT_MS, 5300 + LEASE_ACT_MS));
    lease_die(&lease);
    ck_assert(!lease_acknowledge(&lease, 5400 + LEASE_ACT_MS, 5500 + LEASE_ACT_MS));
    ck_assert(!lease_may_act(&lease, 5500 + LEASE_ACT_MS));
    lease_deinit(&lease);
}
END_TEST

START_TEST(a_node_is_dead_when_its_beat_stands_still_for_a_ttl_on_the_watchers_clock) {
    struct lease lease;
    lease_init(&lease, "a", 4);
    struct lease_node nodes[] = {node("a", 1), node("b", 7)};
    for (uint64_t now = 0; now <= 12000; now += 1000) {
        lease_acknowledge(&lease, now, now);
        nodes[1].beat = now < 2000 ? 7 : 8; // its last
        const struct lease_wants wants = look_at(&lease, nodes, 2, 0, now);
        ck_assert_msg((wants.dead != NULL) == (now >= 12000), "at %llu", (unsigned long long)now);
        if (wants.dead == NULL) continue;
        ck_assert_str_eq(wants.dead->id, "b");
        ck_assert_uint_eq(wants.dead->beat, 8);
    }
    lease_deinit(&lease);
}
END_TEST

START_TEST(another_store_has_all_watched_anew_and_nothing_claimed_for_a_ttl) {
    struct lease lease;
    lease_init(&lease, "a", 4);
    const struct lease_node nodes[] = {node("a", 1), node("b", 7)};
    struct lease_view view = {.nodes = nodes, .count = 2, .free_shards = 4, .incarnation = 1};
    view.age_ms = UINT64_MAX;
    lease_acknowledge(&lease, 0, 0);
    ck_assert_uint_eq(lease_look(&lease, &view, false, true, 0).claim, 2);
    view.incarnation = 2; // promoted
    for (uint64_t now = 9000; now <= 19000; now += 1000) {
        lease_acknowledge(&lease, now, now);
        const struct lease_wants wants = lease_look(&lease, &view, false, true, now);
        ck_assert_uint_eq(wants.claim, now < 19000 ? 0 : 2);
        ck_assert((wants.dead != NULL) == (now == 19000));
    }
    lease_deinit(&lease);
}
END_TEST

START_TEST(a_store_that_was_started_just_now_may_have_forgotten_who_is_in_charge) {
    struct lease lease;
    lease_init(&lease, "a", 4);
    const struct lease_node nodes[] = {node("a", 1)};
    struct lease_view view = {.nodes = nodes, .count = 1, .free_shards = 4, .age_ms = 4000};
    lease_acknowledge(&lease, 100000, 100000);
    ck_assert_uint_eq(lease_look(&lease, &view, false, true, 100000).claim, 0);
    ck_assert_uint_eq(lease_look(&lease, &view, false, true, 105999).claim, 0);
    ck_assert_uint_eq(lease_look(&lease, &view, false, true, 106000).claim, 4);
    lease_deinit(&lease);
}
END_TEST

// What it has, what is free, how many nodes there are besides, whether one of them is hungry.
static const struct {
    uint32_t has, free, others;
    bool one_is_hungry, is_hungry;
    uint32_t claim, give_up;
} shares[] = {
    {0, 1024, 0, false, true, 256, 0}, // so many at once
    {900, 124, 0, false, true, 124, 0},
    {1024, 0, 0, false, true, 0, 0},
    {300, 724, 2, false, true, 42, 0}, // 342 is a third
    {342, 340, 2, false, true, 0, 0},
    {1024, 0, 2, false, false, 0, 682},
    {1024, 0, 2, true, false, 0, 682},
    {1024, 0, 2, true, true, 0, 0}, // it has workers without work itself
    {343, 0, 2, false, false, 0, 1},
    {342, 0, 2, true, false, 0, 0},
};

START_TEST(shards_are_shared_out_evenly) {
    struct lease lease;
    struct lease_node nodes[4];
    lease_init(&lease, "me", 1024);
    lease.shards = shares[_i].has;
    nodes[0] = node("me", 1);
    for (uint32_t i = 1; i <= shares[_i].others; i++) {
        const char id[] = {'a', (char)('0' + i), '\0'};
        nodes[i] = node(id, 1);
        nodes[i].is_hungry = i == 1 && shares[_i].one_is_hungry;
    }
    const struct lease_view view = {.nodes = nodes,
                                    .count = shares[_i].others + 1,
                                    .free_shards = shares[_i].free,
                                    .age_ms = UINT64_MAX};
    lease_acknowledge(&lease, 1, 1);
    lease.shards = shares[_i].has;
    const struct lease_wants wants = lease_look(&lease, &view, shares[_i].is_hungry, true, 2);
    ck_assert_uint_eq(wants.claim, shares[_i].claim);
    ck_assert_uint_eq(wants.give_up, shares[_i].give_up);
    lease_deinit(&lease);
}
END_TEST

START_TEST(who_is_not_ready_has_no_share_and_gives_up_what_it_has) {
    struct lease lease;
    struct lease_node nodes[] = {node("a", 1), node("b", 1), node("c", 1)};
    struct lease_view view = {.nodes = nodes, .count = 3, .free_shards = 6, .age_ms = UINT64_MAX};
    lease_init(&lease, "a", 12);
    lease_acknowledge(&lease, 1, 1);
    lease.shards = 4;
    nodes[1].shards = 2;
    ck_assert_uint_eq(lease_look(&lease, &view, false, true, 2).claim, 0);
    nodes[2].is_ready = false; // now a half is its share
    ck_assert_uint_eq(lease_look(&lease, &view, false, true, 3).claim, 2);
    const struct lease_wants wants = lease_look(&lease, &view, false, false, 4);
    ck_assert_uint_eq(wants.claim, 0);
    ck_assert_uint_eq(wants.give_up, 4);
    lease.shards = 6;
    nodes[1].shards = 6;
    ck_assert_uint_eq(lease_look(&lease, &view, false, true, 5).give_up, 0); // to whom?
    lease_deinit(&lease);
}
END_TEST

// --- random histories

enum { NODES_MAX = 4, SHARDS_MAX = 6, RUNS = 400, UNTIL_MS = 120000, NOBODY = -1 };

enum what { WRITE, LOOK };

// A request on its way to the store, or its answer on its way back.
struct call {
    bool is_under_way, is_answered, is_refused;
    enum what what;
    uint64_t arrives_ms, answered_ms; // true time
    uint64_t sent_ms;                 // the node's clock
    uint64_t beat;
    bool releases;
    uint32_t claim;
    char dead[LEASE_ID_MAX];
    uint64_t dead_beat;
    bool granted[SHARDS_MAX];
    struct lease_node nodes[64];
    size_t count;
    uint32_t free_shards;
};

struct sim_node {
    struct lease lease;
    struct call call;          // one at a time
    uint64_t offset_ms;        // of its clock
    uint64_t stopped_until_ms; // true time
    uint64_t beat, next_ms;
    unsigned lives;
    bool owes_release;
    struct lease_wants wants;
    char dead[LEASE_ID_MAX];
    bool holds[SHARDS_MAX]; // it believes
};

struct row {
    struct lease_node node;
    bool is_dead;
};

struct sim {
    uint64_t seed, draws, now_ms;
    unsigned nodes, shards;
    struct sim_node list[NODES_MAX];
    struct row rows[256];
    size_t rows_count;
    char owners[SHARDS_MAX][LEASE_ID_MAX];
    unsigned lose_percent, stop_permille;
    unsigned grants, deaths;
};

static uint64_t draw(struct sim *s, uint64_t low, uint64_t high) {
    return rng_range(rng_mix(s->seed, ++s->draws), low, high);
}

static struct row *row_of(struct sim *s, const char *id) {
    for (size_t i = 0; i < s->rows_count; i++)
        if (strcmp(s->rows[i].node.id, id) == 0) return &s->rows[i];
    return NULL;
}

static uint64_t clock_of(const struct sim *s, const struct sim_node *n) {
    return s->now_ms + n->offset_ms;
}

static void join(struct sim *s, struct sim_node *n) {
    char id[LEASE_ID_MAX];
    if (s->rows_count == COUNT(s->rows)) return;
    snprintf(id, sizeof id, "%u.%u", (unsigned)(n - s->list), n->lives++);
    lease_join(&n->lease, id);
    n->beat = 0;
    s->rows[s->rows_count++].node = node(id, 0);
}

static void free_shards_of(struct sim *s, const char *id) {
    for (unsigned i = 0; i < s->shards; i++)
        if (strcmp(s->owners[i], id) == 0) s->owners[i][0] = '\0';
}

// The store does it in one transaction.
static void carry_out_write(struct sim *s, struct call *call, const char *id) {
    struct row *row = row_of(s, id);
    call->is_refused = row->is_dead || row->node.beat != call->beat - 1;
    if (row->node.beat == call->beat) call->is_refused = false; // again, after a lost answer
    if (call->is_refused || row->node.beat == call->beat) return;
    row->node.beat = call->beat;
    if (call->releases) free_shards_of(s, id);
    if (call->dead[0] != '\0') {
        struct row *dead = row_of(s, call->dead);
        if (!dead->is_dead && dead->node.beat == call->dead_beat) {
            dead->is_dead = true;
            s->deaths++;
            free_shards_of(s, call->dead);
        }
    }
    for (unsigned i = 0; i < s->shards && call->claim > 0; i++) {
        if (s->owners[i][0] != '\0') continue;
        memmove(s->owners[i], id, strlen(id) + 1);
        call->granted[i] = true;
        call->claim--;
    }
}

static void carry_out_look(struct sim *s, struct call *call) {
    call->count = call->free_shards = 0;
    for (size_t i = 0; i < s->rows_count; i++)
        if (!s->rows[i].is_dead && call->count < COUNT(call->nodes))
            call->nodes[call->count++] = s->rows[i].node;
    for (unsigned i = 0; i < s->shards; i++)
        call->free_shards += s->owners[i][0] == '\0';
}

static uint64_t delay(struct sim *s) {
    return draw(s, 0, 9) == 0 ? draw(s, 0, 20000) : draw(s, 1, 300);
}

static void send(struct sim *s, struct sim_node *n, enum what what) {
    struct call *call = &n->call;
    *call = (struct call){.is_under_way = true, .what = what, .sent_ms = clock_of(s, n)};
    call->arrives_ms = s->now_ms + delay(s);
    call->answered_ms = call->arrives_ms + delay(s);
    if (what == LOOK) return;
    call->beat = n->beat + 1;
    call->releases = n->owes_release;
    call->claim = n->owes_release ? 0 : n->wants.claim;
    if (n->dead[0] != '\0') {
        snprintf(call->dead, sizeof call->dead, "%s", n->dead);
        call->dead_beat = n->wants.dead == NULL ? 0 : n->wants.dead->beat;
    }
}

static void lose_all(struct sim_node *n) {
    memset(n->holds, 0, sizeof n->holds);
    n->owes_release = true;
}

static void take_write(struct sim *s, struct sim_node *n) {
    const struct call *call = &n->call;
    if (call->is_refused) {
        lease_die(&n->lease);
        lose_all(n);
        n->owes_release = false;
        join(s, n);
        return;
    }
    n->beat = call->beat;
    n->wants = (struct lease_wants){0};
    n->dead[0] = '\0';
    const bool was_alive = lease_acknowledge(&n->lease, call->sent_ms, clock_of(s, n));
    if (call->releases) n->owes_release = false;
    if (!was_alive && !call->releases) n->owes_release = true;
    if (!was_alive || !lease_may_act(&n->lease, clock_of(s, n))) return;
    for (unsigned i = 0; i < s->shards; i++) {
        if (!call->granted[i]) continue;
        n->holds[i] = true;
        n->lease.shards++;
        s->grants++;
    }
}

static void take_look(struct sim *s, struct sim_node *n) {
    const struct call *call = &n->call;
    const struct lease_view view = {.nodes = call->nodes,
                                    .count = call->count,
                                    .free_shards = call->free_shards,
                                    .age_ms = UINT64_MAX};
    n->wants = lease_look(&n->lease, &view, false, true, clock_of(s, n));
    if (n->wants.dead != NULL) snprintf(n->dead, sizeof n->dead, "%s", n->wants.dead->id);
}

static void take_answer(struct sim *s, struct sim_node *n) {
    n->call.is_under_way = false;
    n->next_ms = s->now_ms + draw(s, 0, LEASE_BEAT_MS);
    if (n->call.what == WRITE)
        take_write(s, n);
    else
        take_look(s, n);
}

// Its own deadlines come first, for the timer of the process fires before anything is read.
static void run_node(struct sim *s, struct sim_node *n) {
    if (s->now_ms < n->stopped_until_ms) return;
    if (lease_pass(&n->lease, clock_of(s, n))) lose_all(n);
    if (n->call.is_under_way && n->call.is_answered) take_answer(s, n);
    if (!n->call.is_under_way && s->now_ms >= n->next_ms)
        send(s, n, draw(s, 0, 1) == 0 ? WRITE : LOOK);
    if (draw(s, 0, 9999) < s->stop_permille) n->stopped_until_ms = s->now_ms + draw(s, 0, 40000);
}

// A call may be lost on its way, or its answer; the node tries again under the same number.
static void run_call(struct sim *s, struct sim_node *n) {
    struct call *call = &n->call;
    if (!call->is_under_way || call->is_answered) return;
    if (s->now_ms == call->arrives_ms) {
        if (draw(s, 1, 100) <= s->lose_percent)
            call->is_under_way = false;
        else if (call->what == WRITE)
            carry_out_write(s, call, n->lease.id);
        else
            carry_out_look(s, call);
    }
    if (call->is_under_way && s->now_ms >= call->answered_ms) {
        call->is_answered = true;
        if (draw(s, 1, 100) <= s->lose_percent) call->is_under_way = false;
    }
}

// A process that stands still cannot act; it may once it runs, before it has looked at its clock.
// So a holder counts as acting until its timer would have ended it.
static bool acts(const struct sim *s, const struct sim_node *n, unsigned shard) {
    return n->holds[shard] &&
           clock_of(s, n) < n->lease.acts_until_ms + LEASE_KILL_MS - LEASE_ACT_MS;
}

static void check_shards(const struct sim *s) {
    for (unsigned shard = 0; shard < s->shards; shard++) {
        int holder = NOBODY;
        for (unsigned i = 0; i < s->nodes; i++) {
            if (!acts(s, &s->list[i], shard)) continue;
            if (holder != NOBODY) // no ck_assert, which writes to a file each time
                ck_abort_msg("nodes %d and %u act for shard %u at %llu; SEED=%llu", holder, i,
                             shard, (unsigned long long)s->now_ms, (unsigned long long)s->seed);
            holder = (int)i;
        }
    }
}

static unsigned all_grants, all_deaths;

static void play(uint64_t seed) {
    struct sim *s = mem_zalloc(sizeof *s);
    s->seed = seed;
    s->nodes = (unsigned)draw(s, 1, NODES_MAX);
    s->shards = (unsigned)draw(s, 1, SHARDS_MAX);
    s->lose_percent = (unsigned)draw(s, 0, 20);
    s->stop_permille = (unsigned)draw(s, 0, 3);
    for (unsigned i = 0; i < s->nodes; i++) {
        struct sim_node *n = &s->list[i];
        lease_init(&n->lease, "", s->shards);
        n->offset_ms = draw(s, 0, 1000000000);
        join(s, n);
    }
    for (; s->now_ms < UNTIL_MS; s->now_ms++) {
        for (unsigned i = 0; i < s->nodes; i++)
            run_call(s, &s->list[i]);
        for (unsigned i = 0; i < s->nodes; i++)
            run_node(s, &s->list[i]);
        check_shards(s);
    }
    all_grants += s->grants;
    all_deaths += s->deaths;
    for (unsigned i = 0; i < s->nodes; i++)
        lease_deinit(&s->list[i].lease);
    free(s);
}

START_TEST(no_two_nodes_act_for_a_shard_at_the_same_time) {
    all_grants = all_deaths = 0;
    run_seeds(RUNS, play);
    if (getenv("SEED") != NULL) return;
    ck_assert_uint_gt(all_grants, RUNS); // else there was nothing to see
    ck_assert_uint_gt(all_deaths, RUNS / 2);
}
END_TEST

Suite *check_lease(void) {
    Suite *suite = suite_create("lease");
    TCase *rules = tcase_create("rules"), *random = tcase_create("random histories");
    suite_add_tcase(suite, rules);
    tcase_add_test(rules, a_lease_runs_from_the_sending_and_not_from_the_answer);
    tcase_add_test(rules, an_answer_that_comes_too_late_is_none);
    tcase_add_test(rules,
                   a_node_is_dead_when_its_beat_stands_still_for_a_ttl_on_the_watchers_clock);
    tcase_add_test(rules, another_store_has_all_watched_anew_and_nothing_claimed_for_a_ttl);
    tcase_add_test(rules, a_store_that_was_started_just_now_may_have_forgotten_who_is_in_charge);
    tcase_add_loop_test(rules, shards_are_shared_out_evenly, 0, COUNT(shares));
    tcase_add_test(rules, who_is_not_ready_has_no_share_and_gives_up_what_it_has);
    suite_add_tcase(suite, random);
    tcase_set_timeout(random, 120);
    tcase_add_test(random, no_two_nodes_act_for_a_shard_at_the_same_time);
    return suite;
}
