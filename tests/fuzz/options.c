// A command line, an argument a line. What an option is set to is one of the arguments, or the end
// of one.
#include "common/options.h"
#include "common/count.h"
#include "common/duration.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 40 };

struct given {
    int argc;
    char *argv[ARGUMENTS_MAX + 1];
    unsigned set, arguments;
};

static void check_value(const struct given *given, const char *value) {
    bool is_ours = false;
    for (int i = 0; i < given->argc; i++)
        is_ours = is_ours ||
                  (value >= given->argv[i] && value <= given->argv[i] + strlen(given->argv[i]));
    assert(is_ours);
}

static int set_text(void *config, const char *value, struct error *err) {
    struct given *given = config;
    check_value(given, value);
    given->set++;
    return *value == '\0' ? error_set(err, "expected a file") : 0;
}

static int set_flag(void *config, const char *value, struct error *err) {
    (void)err;
    assert(value == NULL);
    ((struct given *)config)->set++;
    return 0;
}

static int set_number(void *config, const char *value, struct error *err) {
    uint64_t n;
    const int rc = options_number(value, 1, 1000, &n, err);
    assert(rc != 0 || (n >= 1 && n <= 1000));
    check_value(config, value);
    ((struct given *)config)->set++;
    return rc;
}

static int set_duration(void *config, const char *value, struct error *err) {
    uint64_t us;
    (void)config;
    return duration_parse(value, &us, err);
}

static int take_argument(void *config, const char *value, struct error *err) {
    struct given *given = config;
    check_value(given, value);
    given->arguments++;
    return strlen(value) > 20 ? error_set(err, "'%.40s' is too long", value) : 0;
}

static const struct option_spec specs[] = {
    {"state", "FILE", "where", set_text},
    {"workers", "N", "how many", set_number},
    {"insecure", NULL, "all the same", set_flag},
    {"call-timeout", "DURATION", "how long", set_duration},
    {"connect-timeout", "DURATION", "how long", set_duration},
};
static const struct options list[] = {
    {.program = "orchestrator",
     .summary = "Does.",
     .specs = specs,
     .count = COUNT(specs),
     .command = "jobs"},
    {.program = "orchestrator",
     .summary = "Does.",
     .specs = specs,
     .count = COUNT(specs),
     .command = "job",
     .arguments = "ID",
     .argument = take_argument,
     .arguments_min = 1,
     .exit_usage = 3},
};
static const struct option_commands commands = {
    .program = "orchestrator", .summary = "Does.", .list = list, .count = COUNT(list)};

// What it says to people is not looked at: it would fill the disk.
static void parse(struct given *given) {
    static int null = -1;
    int exit_code = -1;
    fflush(NULL);
    if (null < 0) null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    optind = 0; // getopt_long() begins anew
    const struct options *o =
        options_parse_command(&commands, given, given->argc, given->argv, &exit_code);
    fflush(NULL);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    if (o == NULL)
        assert(exit_code == 0 || exit_code == 2 || exit_code == 3);
    else
        assert(given->arguments >= o->arguments_min);
    assert(given->set + given->arguments < (unsigned)given->argc || given->argc <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char name[] = "orchestrator";
    struct fuzz_lines lines = {(const char *)data, size};
    struct given given = {.argc = 1, .argv = {name}};
    char *owned[ARGUMENTS_MAX], *line;
    size_t count = 0;
    while (given.argc < ARGUMENTS_MAX && (line = fuzz_line(&lines)) != NULL)
        given.argv[given.argc++] = owned[count++] = line;
    parse(&given);
    while (count > 0)
        free(owned[--count]);
    return 0;
}
