#include "tests/torture/round.h"

#include "scenarios/runner/scenario.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_round(void);

enum { ROUNDS = 300 };

static const char preload[] = "/build/disk.so:/build/network.so";

static char *text_of(uint64_t seed) {
    struct round round;
    round_draw(seed, preload, &round);
    char *text = cJSON_Print(round.scenario);
    round_deinit(&round);
    return text;
}

START_TEST(each_is_a_scenario) {
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct scenario s;
        struct findings found = {0};
        char *text = text_of(seed);
        int rc = scenario_parse(&s, "round.yaml", text, strlen(text), &found);
        ck_assert_msg(rc == 0, "seed %llu: %s", (unsigned long long)seed, found.list[0].text);
        ck_assert_uint_eq(s.seed, seed);
        scenario_deinit(&s);
        cJSON_free(text);
    }
}
END_TEST

START_TEST(a_seed_replays_it) {
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        char *first = text_of(seed), *again = text_of(seed), *next = text_of(seed + 1);
        ck_assert_str_eq(first, again);
        ck_assert_str_ne(first, next);
        cJSON_free(first);
        cJSON_free(again);
        cJSON_free(next);
    }
}
END_TEST

// What is never drawn is never tested.
static const char *const parts[] = {
    "\"kill\"",
    "\"restart\"",
    "\"suspend\"",
    "\"simulator\"",
    "\"hangup\"",
    "\"disk\":\t\"f\"",
    "\"disk\":\t\"e\"",
    "\"disk\":\t\"r\"",
    "\"disk\":\t\"s\"",
    "\"silent\":\t\"${devices_port}\"",
    "pluto",
    "/pause/",
    "/resume/",
    "/cancel/",
    "/retry/",
    "/get-version/",
    "\"abandon\"",
    "\"brick\"",
    "\"no_reply\"",
    "\"max_unavailable\"",
    "\"throttle\"",
    "\"first\"",
    "\"uplinks\"",
    "\"epochs\"",
    "\"reboot\"",
    "\"canaries\"",
    "\"max_jobs\"",
};

START_TEST(all_that_may_happen_does_in_some_round) {
    unsigned rounds[COUNT(parts)] = {0};
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        char *text = text_of(seed);
        for (size_t i = 0; i < COUNT(parts); i++)
            rounds[i] += strstr(text, parts[i]) != NULL;
        cJSON_free(text);
    }
    for (size_t i = 0; i < COUNT(parts); i++)
        ck_assert_msg(rounds[i] >= ROUNDS / 30, "%s: in %u rounds of %d", parts[i], rounds[i],
                      ROUNDS);
}
END_TEST

START_TEST(the_kills_are_counted) {
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct round round;
        unsigned kills = 0;
        round_draw(seed, preload, &round);
        const cJSON *step;
        cJSON_ArrayForEach(step, cJSON_GetObjectItemCaseSensitive(round.scenario, "steps")) {
            const cJSON *signal = cJSON_GetObjectItemCaseSensitive(step, "signal");
            kills += strcmp(json_text(signal, "do"), "kill") == 0;
        }
        ck_assert_uint_eq(kills, round.kills);
        round_deinit(&round);
    }
}
END_TEST

Suite *check_round(void) {
    Suite *suite = suite_create("round");
    TCase *tcase = tcase_create("draw");
    tcase_add_test(tcase, each_is_a_scenario);
    tcase_add_test(tcase, a_seed_replays_it);
    tcase_add_test(tcase, all_that_may_happen_does_in_some_round);
    tcase_add_test(tcase, the_kills_are_counted);
    suite_add_tcase(suite, tcase);
    return suite;
}
