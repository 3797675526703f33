#include "common/completion.h"
#include "tests/unit/support.h"

Suite *check_completion(void);

static const struct option_spec run_specs[] = {
    {"version", "VERSION", "the [one] that's wanted: 1.2", NULL},
    {"mode", "fast|slow-ly", "how", NULL},
    {"out", "URL|FILE", "where to", NULL},
    {"dry", NULL, "a flag", NULL},
};
static const struct options list[] = {
    {.program = "prog",
     .command = "run",
     .summary = "it's run",
     .specs = run_specs,
     .count = COUNT(run_specs)},
    {.program = "prog", .command = "shell", .arguments = "bash|zsh", .summary = "prints"},
};
static const struct option_commands commands = {.program = "prog", .list = list, .count = 2};
static const struct option_spec specs[] = {{"listen", "ADDRESS", "here", NULL}};
static const struct options prog = {
    .program = "prog", .specs = specs, .count = 1, .commands = &commands};

static void assert_has(const char *script, const char *text) {
    ck_assert_msg(strstr(script, text) != NULL, "not there: %s\n%s", text, script);
}

START_TEST(bash_offers_commands_options_and_values) {
    struct buf out = {0};
    completion_bash(&prog, &out);
    assert_has(out.data, "    ' --listen') return ;;\n");
    assert_has(out.data, "    'run --version') return ;;\n");
    assert_has(out.data, "    'run --mode') words='fast slow-ly' ;;\n");
    assert_has(out.data, "    'run --out') COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n");
    ck_assert_ptr_null(strstr(out.data, "'run --dry')")); // it has no value
    assert_has(out.data, " run) words='--version --mode --out --dry --help' ;;\n");
    assert_has(out.data, " shell) words='--help --version bash zsh' ;;\n");
    assert_has(out.data, " '') words='--listen --help --version' ;;\n");
    assert_has(out.data, "words=\"$words run shell\"");
    assert_has(out.data, "complete -F _prog prog\n");
    buf_deinit(&out);
}
END_TEST

START_TEST(zsh_offers_them_with_their_help) {
    struct buf out = {0};
    completion_zsh(&prog, &out);
    ck_assert_int_eq(strncmp(out.data, "#compdef prog\n", 14), 0);
    assert_has(out.data, "'run:it'\\''s run'\n");
    assert_has(out.data, "'*--listen[here]:ADDRESS:' \\\n");
    assert_has(out.data, "'*--version[the \\[one\\] that'\\''s wanted\\: 1.2]:VERSION:' \\\n");
    assert_has(out.data, "'*--mode[how]:fast|slow-ly:(fast slow-ly)' \\\n");
    assert_has(out.data, "'*--out[where to]:URL|FILE:_files' \\\n");
    assert_has(out.data, "'*--dry[a flag]' \\\n");
    assert_has(out.data, "'1:bash|zsh:(bash zsh)' \\\n");
    buf_deinit(&out);
}
END_TEST

START_TEST(fish_offers_them_with_their_help) {
    struct buf out = {0};
    completion_fish(&prog, &out);
    assert_has(out.data, "complete -c prog -n 'test (count (commandline -opc)) -lt 2' -a run -d "
                         "'it\\'s run'\n");
    assert_has(out.data, "complete -c prog -n '__prog_at \"\"' -l listen -x -d 'here'\n");
    assert_has(out.data, "'__prog_at \"run\"' -l version -x -d 'the [one] that\\'s wanted: 1.2'\n");
    assert_has(out.data, "'__prog_at \"run\"' -l mode -x -a 'fast slow-ly' -d 'how'\n");
    assert_has(out.data, "'__prog_at \"run\"' -l out -r -F -d 'where to'\n");
    assert_has(out.data, "'__prog_at \"run\"' -l dry -d 'a flag'\n");
    assert_has(out.data, "'__prog_at \"shell\"' -a 'bash zsh'\n");
    buf_deinit(&out);
}
END_TEST

START_TEST(a_program_without_commands_has_options_alone) {
    struct options alone = prog;
    struct buf out = {0};
    alone.commands = NULL;
    completion_bash(&alone, &out);
    assert_has(out.data, " '') words='--listen --help --version' ;;\n");
    buf_deinit(&out);
    completion_zsh(&alone, &out);
    assert_has(out.data, "'*--listen[here]:ADDRESS:' \\\n");
    buf_deinit(&out);
    completion_fish(&alone, &out);
    assert_has(out.data, "'__prog_at \"\"' -l listen -x -d 'here'\n");
    buf_deinit(&out);
}
END_TEST

Suite *check_completion(void) {
    Suite *suite = suite_create("completion");
    TCase *tcase = tcase_create("completion");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, bash_offers_commands_options_and_values);
    tcase_add_test(tcase, zsh_offers_them_with_their_help);
    tcase_add_test(tcase, fish_offers_them_with_their_help);
    tcase_add_test(tcase, a_program_without_commands_has_options_alone);
    return suite;
}
