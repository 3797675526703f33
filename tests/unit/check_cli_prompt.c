#include "orchestrator/cli_prompt.h"
#include "tests/unit/support.h"

Suite *check_cli_prompt(void);

// What comes of Ctrl-C (^) and keys: a letter for each act, - for nothing.
static char *play(const char *input, bool has_keys) {
    static const char letters[] = {[CLI_NOTHING] = '-',
                                   [CLI_ASK] = 'A',
                                   [CLI_GO_ON] = 'W',
                                   [CLI_CANCEL] = 'C',
                                   [CLI_LEAVE] = 'L'};
    struct cli_prompt p = {.has_keys = has_keys};
    struct buf out = {0};
    buf_adds(&out, "");
    for (; *input != '\0'; input++) {
        const enum cli_act act =
            *input == '^' ? cli_prompt_interrupt(&p) : cli_prompt_key(&p, *input);
        buf_add(&out, &letters[act], 1);
    }
    return buf_take(&out);
}

static const struct {
    const char *input, *acts;
    bool has_no_keys;
} cases[] = {
    {"^c", "AC", false},
    {"^C", "AC", false},
    {"^l", "AL", false},
    {"^L", "AL", false},
    {"^w", "AW", false},
    {"^W", "AW", false},
    {"^\n", "AW", false},
    {"^\r", "AW", false},
    {"^\x1b", "AW", false},
    {"^^", "AL", false}, // twice leaves at once
    {"^x yn", "A----", false},
    {"^xc", "A-C", false},
    {"clw", "---", false}, // nobody has asked
    {"^wc", "AW-", false},
    {"^w^c", "AWAC", false},
    {"^c^", "ACL", false}, // nothing is left to
                           // ask
    {"^cc", "AC-", false},
    {"^", "L", true},
};

START_TEST(ctrl_c_asks_and_a_key_answers) {
    char *acts = play(cases[_i].input, !cases[_i].has_no_keys);
    ck_assert_str_eq(acts, cases[_i].acts);
    free(acts);
}
END_TEST

Suite *check_cli_prompt(void) {
    Suite *suite = suite_create("cli_prompt");
    TCase *tcase = tcase_create("cli_prompt");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, ctrl_c_asks_and_a_key_answers, 0, COUNT(cases));
    return suite;
}
