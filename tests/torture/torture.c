// usage: torture MINUTES [SEED]: plays rounds (round.h), each from a seed, SEED first and then
// those after it, until so many minutes are over; with 0 the one round of SEED. As many play at the
// same time as there are processors. It ends with what was done, and that nothing was lost, or what
// was.
//
// A round that fails stays: its scenario, and all that its programs wrote. The program `scenario`
// plays it again from there, and this one from its seed, as far as real time allows.
#include "common/client.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/folder.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/process.h"
#include "common/program.h"
#include "tests/torture/round.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS_A_JOB = 4, PATIENCE_S = 3600, PATH_LEN = 600 };

struct torture {
    uint64_t seed; // of the next round
    double until_s;
    unsigned jobs; // rounds that play at the same time
    char dir[64], preload[1100], scenario[512];
    unsigned rounds, kills, failures;
    double told_jobs, told_hosts;
};

// --- files

static int write_json(const char *path, const cJSON *value, struct error *err) {
    char *json = cJSON_Print(value);
    struct buf text = {0};
    buf_adds(&text, json);
    int rc = file_write(path, &text, err);
    buf_deinit(&text);
    cJSON_free(json);
    return rc;
}

static void round_folder(const struct torture *t, uint64_t seed, char path[PATH_LEN]) {
    snprintf(path, PATH_LEN, "%s/rounds/%llu", t->dir, (unsigned long long)seed);
}

static int write_round(struct torture *t, uint64_t seed, struct error *err) {
    struct round round;
    char folder[PATH_LEN], path[PATH_LEN + 20];
    round_folder(t, seed, folder);
    if (mkdir(folder, 0700) != 0) return error_system(err, -errno, "%s", folder);
    round_draw(seed, t->preload, &round);
    snprintf(path, sizeof path, "%s/round.yaml", folder);
    int rc = write_json(path, round.scenario, err);
    snprintf(path, sizeof path, "%s/inventory.json", folder);
    if (rc == 0) rc = write_json(path, round.inventory, err);
    round_deinit(&round);
    return rc;
}

// --- a batch of rounds

static unsigned kills_of(const struct torture *t, uint64_t seed) {
    struct round round;
    round_draw(seed, t->preload, &round);
    const unsigned kills = round.kills;
    round_deinit(&round);
    return kills;
}

// A round that failed is told, and what there is of it stays.
static void take_result(struct torture *t, const cJSON *run) {
    if (strcmp(json_text(run, "outcome"), "not played") == 0) return; // behind one that failed
    const cJSON *seed = cJSON_GetObjectItemCaseSensitive(run, "seed");
    const cJSON *jobs = cJSON_GetObjectItemCaseSensitive(run, "jobs");
    const cJSON *hosts = cJSON_GetObjectItemCaseSensitive(run, "hosts");
    const uint64_t number = (uint64_t)seed->valuedouble;
    char folder[PATH_LEN];
    t->rounds++;
    t->kills += kills_of(t, number);
    t->told_jobs += jobs == NULL ? 0 : jobs->valuedouble;
    t->told_hosts += hosts == NULL ? 0 : hosts->valuedouble;
    round_folder(t, number, folder);
    if (strcmp(json_text(run, "outcome"), "pass") == 0) {
        folder_remove(folder);
        return;
    }
    t->failures++;
    printf("seed %llu: %s\n  its scenario: %s/round.yaml; all that was written is below %s/kept\n",
           (unsigned long long)number, json_text(run, "text"), folder, t->dir);
    fflush(stdout);
}

static int take_results(struct torture *t, const char *path, struct error *err) {
    struct buf text = {0};
    cJSON *results = NULL;
    const cJSON *run;
    int rc = file_read(path, &text, err);
    if (rc == 0) rc = json_parse(text.data, text.len, &results, err);
    cJSON_ArrayForEach(run, cJSON_GetObjectItemCaseSensitive(results, "runs")) take_result(t, run);
    cJSON_Delete(results);
    buf_deinit(&text);
    return rc;
}

static int play_rounds(struct torture *t, struct error *err) {
    char rounds[PATH_LEN], results[PATH_LEN], kept[PATH_LEN], out[PATH_LEN], jobs[16];
    snprintf(rounds, sizeof rounds, "%s/rounds", t->dir);
    snprintf(results, sizeof results, "%s/results.json", t->dir);
    snprintf(kept, sizeof kept, "%s/kept", t->dir);
    snprintf(out, sizeof out, "%s/scenario.stderr", t->dir);
    snprintf(jobs, sizeof jobs, "%u", t->jobs);
    const char *const argv[] = {t->scenario, "run",         rounds,   "--jobs", jobs,
                                "--keep",    kept,          "--json", results,  "--timeout",
                                "300s",      "--fail-fast", NULL};
    struct process process;
    struct process_end end;
    const struct process_command command = {.argv = argv, .stderr_path = out};
    int rc = process_start(&process, &command, err);
    if (rc == 0) {
        char line[1024]; // what it prints is in its results, too
        struct error ended;
        while (process_read_line(&process, PATIENCE_S, line, sizeof line, &ended) == 0)
            ;
        rc = process_end(&process, 0, PATIENCE_S, &end, err);
    }
    return rc == 0 ? take_results(t, results, err) : rc;
}

static int play_batch(struct torture *t, struct error *err) {
    const unsigned count = t->until_s > 0 ? ROUNDS_A_JOB * t->jobs : 1;
    int rc = 0;
    for (unsigned i = 0; i < count && rc == 0; i++)
        rc = write_round(t, t->seed++, err);
    return rc == 0 ? play_rounds(t, err) : rc;
}

static int play_all(struct torture *t, struct error *err) {
    int rc;
    do {
        rc = play_batch(t, err);
        printf("%u rounds\n", t->rounds);
        fflush(stdout);
    } while (rc == 0 && t->failures == 0 && clock_monotonic_s() < t->until_s);
    return rc;
}

// --- life

static int find_preloads(struct torture *t, struct error *err) {
    char disk[512], network[512];
    process_beside("disk.so", disk);
    process_beside("network.so", network);
    if (access(disk, R_OK) != 0) return error_system(err, -errno, "%s", disk);
    if (access(network, R_OK) != 0) return error_system(err, -errno, "%s", network);
    snprintf(t->preload, sizeof t->preload, "%s:%s", disk, network);
    return 0;
}

static int prepare(struct torture *t, struct error *err) {
    char rounds[PATH_LEN];
    int rc = folder_make(t->dir, sizeof t->dir, "torture", err);
    if (rc != 0) return rc;
    snprintf(rounds, sizeof rounds, "%s/rounds", t->dir);
    if (mkdir(rounds, 0700) != 0) return error_system(err, -errno, "%s", rounds);
    process_beside("scenario", t->scenario);
    return find_preloads(t, err);
}

static bool parse_number(const char *text, uint64_t max, uint64_t *number) {
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *number <= max;
}

static int torture(struct torture *t) {
    struct error err;
    int rc = prepare(t, &err);
    if (rc == 0) rc = play_all(t, &err);
    if (rc != 0) {
        printf("torture: %s\n", err.text);
        return EXIT_FAILURE;
    }
    printf("%u rounds, %.0f jobs, %.0f hosts, %u kills, ", t->rounds, t->told_jobs, t->told_hosts,
           t->kills);
    if (t->failures > 0) {
        printf("%u rounds failed: see above, and in %s\n", t->failures, t->dir);
        return EXIT_FAILURE;
    }
    printf("nothing lost\n");
    folder_remove(t->dir);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    enum { MINUTES_MAX = 100000 };
    const uint64_t seed_max = 9000000000000000; // what a scenario's seed may be
    uint64_t minutes = 0, seed = (uint64_t)time(NULL);
    program_init();
    if (argc < 2 || argc > 3 || !parse_number(argv[1], MINUTES_MAX, &minutes) ||
        (argc == 3 && !parse_number(argv[2], seed_max, &seed))) {
        fprintf(stderr, "usage: torture MINUTES [SEED]\n");
        return 2;
    }
    struct torture t = {.seed = seed, .jobs = 2 * (unsigned)sysconf(_SC_NPROCESSORS_ONLN)};
    if (minutes > 0) t.until_s = clock_monotonic_s() + (double)minutes * 60;
    printf("torture: from seed %llu on, for %llu minutes\n", (unsigned long long)seed,
           (unsigned long long)minutes);
    fflush(stdout);
    return torture(&t);
}
