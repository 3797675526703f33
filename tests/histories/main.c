// usage: histories COUNT [SEED]: plays that many histories from SEED (the time) on, on all cores.
// The first that breaks a promise is made as small as it stays broken, and told as a story.
//        histories --find COUNT [SEED]: likewise, but told as it was played, which is sooner.
//        histories --seed SEED: one, told.
//        histories --nodes ...: the same of several nodes that share the store.
//
// The first is that of the lowest seed, however many processes play. A history may also end in an
// assertion that fails, a promise of the code to itself: so it is played in a process of its own
// wherever that is to be survived.
#include "tests/histories/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CORES_MAX = 64 };

static struct sums { // of all processes
    atomic_ullong histories, events, ends, jobs, hosts;
    atomic_ullong broken;             // the lowest seed; UINT64_MAX: none is
    atomic_ullong playing[CORES_MAX]; // the seed that a process is at
} * sums;

static void (*draw_plan)(struct plan *plan, uint64_t seed) = plan_draw;

static void note_broken(uint64_t seed) {
    unsigned long long before = atomic_load(&sums->broken);
    while (seed < before && !atomic_compare_exchange_weak(&sums->broken, &before, seed))
        ;
}

// --- one history

static void silence(int fd) {
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) dup2(null, fd);
}

// In a process of its own.
static bool is_broken(const struct plan *plan) {
    struct verdict verdict;
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        silence(STDERR_FILENO);
        world_play(plan, &verdict, NULL);
        _exit(verdict.is_broken ? EXIT_FAILURE : EXIT_SUCCESS);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status != 0;
}

static void shrink(struct plan *plan) {
    struct plan smaller;
    bool is_smaller = true;
    while (is_smaller) {
        is_smaller = false;
        for (unsigned at = 0; plan_shrink(plan, &at, &smaller);) {
            if (!is_broken(&smaller)) continue;
            *plan = smaller;
            is_smaller = true;
        }
    }
}

// Line by line, for it may end in the middle.
static bool tell(const struct plan *plan) {
    struct buf text = {0};
    struct verdict verdict;
    plan_write(plan, &text);
    fputs(text.data, stdout);
    buf_deinit(&text);
    world_play(plan, &verdict, stdout);
    printf("%s\n", verdict.is_broken ? verdict.why : "all promises were kept");
    return !verdict.is_broken;
}

// --- many

static void play_one(uint64_t seed) {
    struct plan plan;
    struct verdict verdict;
    draw_plan(&plan, seed);
    world_play(&plan, &verdict, NULL);
    if (verdict.is_broken) note_broken(seed);
    atomic_fetch_add(&sums->histories, 1);
    atomic_fetch_add(&sums->events, verdict.events);
    atomic_fetch_add(&sums->ends, verdict.ends);
    atomic_fetch_add(&sums->jobs, verdict.jobs);
    atomic_fetch_add(&sums->hosts, verdict.hosts);
}

// Each has its share of the seeds; nobody needs those behind one that is broken. Whoever dies does
// so of the seed that he was at.
static bool play_on_all_cores(uint64_t first, uint64_t count) {
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const unsigned cores = online < CORES_MAX ? (unsigned)online : CORES_MAX;
    pid_t pids[CORES_MAX];
    int status;
    for (unsigned i = 0; i < cores; i++) {
        pids[i] = fork();
        if (pids[i] < 0) return false;
        if (pids[i] != 0) continue;
        for (uint64_t at = i; at < count && first + at < atomic_load(&sums->broken); at += cores) {
            atomic_store(&sums->playing[i], first + at);
            play_one(first + at);
        }
        exit(EXIT_SUCCESS);
    }
    for (pid_t pid; (pid = wait(&status)) > 0;)
        for (unsigned i = 0; i < cores; i++)
            if (pid == pids[i] && status != 0) note_broken(atomic_load(&sums->playing[i]));
    return true;
}

static int play_all(uint64_t seed, uint64_t count, bool shrinks) {
    if (!play_on_all_cores(seed, count)) {
        fprintf(stderr, "histories: no process for each core: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    const uint64_t broken = atomic_load(&sums->broken);
    printf("histories: %llu played, %llu events, %llu ends of the orchestrator, %llu jobs, %llu "
           "hosts; seeds %llu on\n",
           (unsigned long long)sums->histories, (unsigned long long)sums->events,
           (unsigned long long)sums->ends, (unsigned long long)sums->jobs,
           (unsigned long long)sums->hosts, (unsigned long long)seed);
    if (broken == UINT64_MAX) return EXIT_SUCCESS;
    struct plan plan;
    draw_plan(&plan, broken);
    printf("histories: seed %llu breaks a promise\n", (unsigned long long)broken);
    if (shrinks) shrink(&plan);
    tell(&plan);
    return EXIT_FAILURE;
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    sums = mmap(NULL, sizeof *sums, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sums == MAP_FAILED) return EXIT_FAILURE;
    atomic_store(&sums->broken, UINT64_MAX);
    if (argc > 1 && strcmp(argv[1], "--nodes") == 0) {
        draw_plan = plan_draw_nodes;
        argv[1] = argv[0];
        argc--;
        argv++;
    }
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        struct plan plan;
        draw_plan(&plan, strtoull(argv[2], NULL, 10));
        return tell(&plan) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    const bool finds = argc > 2 && strcmp(argv[1], "--find") == 0;
    argc -= finds;
    argv += finds;
    const uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
    const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    return play_all(seed, count, !finds);
}
