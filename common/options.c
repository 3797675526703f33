#include "common/options.h"

#include "common/mem.h"
#include "common/version.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_help(const struct options *o) {
    printf("usage: %s [OPTION]...\n%s\n\n", o->program, o->summary);
    for (size_t i = 0; i < o->count; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o->specs[i].name,
                 o->specs[i].arg == NULL ? "" : " ",
                 o->specs[i].arg == NULL ? "" : o->specs[i].arg);
        printf("  %-28s %s\n", left, o->specs[i].help);
    }
    printf("  %-28s %s\n  %-28s %s\n", "--help", "print this and exit", "--version",
           "print the version and exit");
}

static bool stop(int *exit_code, int code) {
    *exit_code = code;
    return false;
}

static bool usage_error(const struct options *o, int *exit_code) {
    fprintf(stderr, "try '%s --help'\n", o->program);
    return stop(exit_code, OPTIONS_EXIT_USAGE);
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
            fprintf(stderr, "%s: --%s: %s\n", o->program, o->specs[index].name, err.text);
            go_on = usage_error(o, exit_code);
        }
    }
    free(table);
    if (go_on && optind < argc) {
        fprintf(stderr, "%s: unexpected argument '%s'\n", o->program, argv[optind]);
        go_on = usage_error(o, exit_code);
    }
    return go_on;
}
