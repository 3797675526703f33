// usage: torture_nodes NODES MINUTES [SEED]: plays rounds of so many nodes over one database
// (cluster_round.h), each from a seed, SEED first and then those after it, until so many minutes
// are over; with 0 the one round of SEED. It ends with what was done, and that nothing was lost, or
// what was. Of a round that fails all that was written stays. It runs where tests/lab is.
#include "common/clock.h"
#include "common/folder.h"
#include "common/program.h"
#include "tests/torture/cluster_round.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

struct torture {
    uint64_t seed; // of the next round
    unsigned nodes;
    char dir[64];
    struct lab_server server;
    struct cluster_round sum;
    unsigned rounds;
};

static void add(struct torture *t, const struct cluster_round *round) {
    t->rounds++;
    t->sum.jobs += round->jobs;
    t->sum.hosts += round->hosts;
    t->sum.kills += round->kills;
    t->sum.stops += round->stops;
    t->sum.cuts += round->cuts;
    t->sum.taken += round->taken;
}

static int play(struct torture *t, struct error *err) {
    char folder[CLUSTER_PATH];
    struct cluster_round round = {
        .seed = t->seed++, .nodes = t->nodes, .dir = folder, .server = &t->server};
    const double begun_s = clock_monotonic_s();
    snprintf(folder, sizeof folder, "%s/%llu", t->dir, (unsigned long long)round.seed);
    if (mkdir(folder, 0700) != 0) return error_system(err, -errno, "%s", folder);
    int rc = cluster_round_play(&round, err);
    add(t, &round);
    printf("seed %llu: %.0f s, %u jobs, %u hosts\n", (unsigned long long)round.seed,
           clock_monotonic_s() - begun_s, round.jobs, round.hosts);
    fflush(stdout);
    if (rc == 0)
        folder_remove(folder);
    else
        printf("seed %llu: %s\n  all that was written is in %s\n", (unsigned long long)round.seed,
               err->text, folder);
    return rc;
}

static bool parse_number(const char *text, uint64_t low, uint64_t high, uint64_t *number) {
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *number >= low &&
           *number <= high;
}

static int torture(struct torture *t, double until_s) {
    struct error err;
    int rc = folder_make(t->dir, sizeof t->dir, "torture", &err);
    if (rc != 0) {
        printf("torture_nodes: %s\n", err.text);
        return EXIT_FAILURE;
    }
    lab_server_start(&t->server, "");
    do
        rc = play(t, &err);
    while (rc == 0 && clock_monotonic_s() < until_s);
    printf("%u rounds, %u jobs, %u hosts, %u kills, %u stops, %u cuts, %u take-overs, %s\n",
           t->rounds, t->sum.jobs, t->sum.hosts, t->sum.kills, t->sum.stops, t->sum.cuts,
           t->sum.taken, rc == 0 ? "nothing lost" : "a round failed: see above");
    if (rc == 0) folder_remove(t->dir);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    enum { MINUTES_MAX = 100000 };
    uint64_t nodes, minutes, seed = (uint64_t)time(NULL);
    program_init();
    if (argc < 3 || argc > 4 || !parse_number(argv[1], 2, CLUSTER_MAX, &nodes) ||
        !parse_number(argv[2], 0, MINUTES_MAX, &minutes) ||
        (argc == 4 && !parse_number(argv[3], 0, UINT64_MAX, &seed))) {
        fprintf(stderr, "usage: torture_nodes NODES MINUTES [SEED]\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct torture t = {.seed = seed, .nodes = (unsigned)nodes};
    printf("torture: %u nodes, from seed %llu on, for %llu minutes\n", t.nodes,
           (unsigned long long)seed, (unsigned long long)minutes);
    fflush(stdout);
    const int exit_code = torture(&t, clock_monotonic_s() + (double)minutes * 60);
    curl_global_cleanup();
    return program_end("torture_nodes", exit_code);
}
