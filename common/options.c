#include "common/options.h"

#include "common/mem.h"
#include "common/suggest.h"
#include "common/version.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 28, HELP_WIDTH = 100 };

// --- help

// "  --option ARG     what it does", folded between words; what follows stands under its first
// line.
static void print_entry(FILE *out, const char *left, const char *help) {
    int column = fprintf(out, "  %-*s", HELP_COLUMN, left);
    for (const char *word = help; *word != '\0';) {
        int length = (int)strcspn(word, " ");
        if (column + 1 + length > HELP_WIDTH)
            column = fprintf(out, "\n%*s", HELP_COLUMN + 2, "") - 1;
        column += fprintf(out, " %.*s", length, word);
        word += length + (word[length] == ' ');
    }
    fputc('\n', out);
}

static void name_of(const struct options *o, char name[64]) {
    snprintf(name, 64, "%s%s%s", o->program, o->command == NULL ? "" : " ",
             o->command == NULL ? "" : o->command);
}

static const char *options_word(const struct options *o) {
    return o->count == 0 ? "" : " [OPTION]...";
}

static void print_usage(const struct options *o, FILE *out) {
    char name[64];
    name_of(o, name);
    fprintf(out, "usage: %s%s%s%s\n", name, options_word(o), o->arguments == NULL ? "" : " ",
            o->arguments == NULL ? "" : o->arguments);
}

static void list_commands(const struct option_commands *c, FILE *out) {
    for (size_t i = 0; i < c->count; i++) {
        const struct options *o = &c->list[i];
        char left[64];
        snprintf(left, sizeof left, "%s%s%s%s", o->command, options_word(o),
                 o->arguments == NULL ? "" : " ", o->arguments == NULL ? "" : o->arguments);
        print_entry(out, left, o->summary);
    }
    fprintf(out, "\n'%s COMMAND --help' lists the options of a command.\n%s", c->program,
            c->notes == NULL ? "" : c->notes);
}

bool options_has(const struct options *o, const char *name) {
    for (size_t i = 0; i < o->count; i++)
        if (strcmp(o->specs[i].name, name) == 0) return true;
    return false;
}

static void print_help(const struct options *o) {
    print_usage(o, stdout);
    if (o->commands != NULL) printf("   or: %s COMMAND [OPTION]...\n", o->program);
    printf("%s\n\n", o->summary);
    for (size_t i = 0; i < o->count; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o->specs[i].name,
                 o->specs[i].arg == NULL ? "" : " ",
                 o->specs[i].arg == NULL ? "" : o->specs[i].arg);
        print_entry(stdout, left, o->specs[i].help);
    }
    print_entry(stdout, "--help", "print this and exit");
    if (!options_has(o, "version")) print_entry(stdout, "--version", "print the version and exit");
    if (o->commands == NULL) return;
    printf("\n%s\n\n", o->commands->summary);
    list_commands(o->commands, stdout);
}

static void print_commands(const struct option_commands *c, FILE *out) {
    fprintf(out, "usage: %s COMMAND [OPTION]...\n%s\n\n", c->program, c->summary);
    list_commands(c, out);
}

// --- parsing

static bool stop(int *exit_code, int code) {
    *exit_code = code;
    return false;
}

static int usage_code(int given) {
    return given == 0 ? OPTIONS_EXIT_USAGE : given;
}

static bool usage_error(const struct options *o, int *exit_code) {
    char name[64];
    name_of(o, name);
    fprintf(stderr, "try '%s --help'\n", name);
    return stop(exit_code, usage_code(o->exit_usage));
}

// argv from the first argument that is not an option, to its end.
static bool take_arguments(const struct options *o, void *config, char **argv, int *exit_code) {
    char name[64];
    size_t count = 0;
    name_of(o, name);
    for (; argv[count] != NULL; count++) {
        struct error err;
        if (o->argument == NULL) {
            fprintf(stderr, "%s: unexpected argument '%s'\n", name, argv[count]);
            return usage_error(o, exit_code);
        }
        if (o->argument(config, argv[count], &err) != 0) {
            fprintf(stderr, "%s: %s\n", name, err.text);
            return usage_error(o, exit_code);
        }
    }
    if (count >= o->arguments_min) return true;
    print_usage(o, stderr);
    return stop(exit_code, usage_code(o->exit_usage));
}

bool options_parse(const struct options *o, void *config, int argc, char **argv, int *exit_code) {
    struct option *table = mem_array(o->count + 3, sizeof *table);
    for (size_t i = 0; i < o->count; i++)
        table[i] = (struct option){
            o->specs[i].name, o->specs[i].arg == NULL ? no_argument : required_argument, NULL, 0};
    int help = (int)o->count, version = help + 1, index = -1, c;
    table[help] = (struct option){"help", no_argument, NULL, 0};
    table[version] = (struct option){"version", no_argument, NULL, 0};

    bool go_on = true;
    while (go_on && (c = getopt_long(argc, argv, "", table, &index)) != -1) {
        struct error err;
        if (c == '?') { // getopt_long has said what is wrong
            go_on = usage_error(o, exit_code);
        } else if (index == help) {
            print_help(o);
            go_on = stop(exit_code, EXIT_SUCCESS);
        } else if (index == version) {
            printf("%s %s\n", o->program, PROJECT_VERSION);
            go_on = stop(exit_code, EXIT_SUCCESS);
        } else if (o->specs[index].set(config, optarg, &err) != 0) {
            char name[64];
            name_of(o, name);
            fprintf(stderr, "%s: --%s: %s\n", name, o->specs[index].name, err.text);
            go_on = usage_error(o, exit_code);
        }
    }
    free(table);
    return go_on && take_arguments(o, config, argv + optind, exit_code);
}

// --- commands

static const struct options *no_command(const struct option_commands *c, const char *name,
                                        int *exit_code) {
    if (name != NULL) {
        const char **known = mem_array(c->count, sizeof *known);
        for (size_t i = 0; i < c->count; i++)
            known[i] = c->list[i].command;
        const char *near = suggest(name, known, c->count);
        fprintf(stderr, "%s: there is no command '%s'%s%s%s\n", c->program, name,
                near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
                near == NULL ? "" : "?");
        free(known);
    }
    print_commands(c, stderr);
    *exit_code = usage_code(c->exit_usage);
    return NULL;
}

const struct options *options_parse_command(const struct option_commands *commands, void *config,
                                            int argc, char **argv, int *exit_code) {
    const char *name = argc > 1 ? argv[1] : NULL;
    *exit_code = EXIT_SUCCESS;
    if (name != NULL && strcmp(name, "--help") == 0) {
        print_commands(commands, stdout);
        return NULL;
    }
    if (name != NULL && strcmp(name, "--version") == 0) {
        printf("%s %s\n", commands->program, PROJECT_VERSION);
        return NULL;
    }
    const struct options *o = commands->list, *end = o + commands->count;
    while (o < end && (name == NULL || strcmp(o->command, name) != 0))
        o++;
    if (o == end) return no_command(commands, name, exit_code);
    char shown[64], *word = argv[1];
    name_of(o, shown);
    argv[1] = shown; // getopt_long begins its messages with it
    bool go_on = options_parse(o, config, argc - 1, argv + 1, exit_code);
    argv[1] = word;
    return go_on ? o : NULL;
}

int options_number(const char *value, uint64_t low, uint64_t high, uint64_t *out,
                   struct error *err) {
    char *end;
    errno = 0;
    unsigned long long n = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || n < low || n > high)
        return error_set(err, "'%.40s': expected a number from %llu to %llu", value,
                         (unsigned long long)low, (unsigned long long)high);
    *out = n;
    return 0;
}
