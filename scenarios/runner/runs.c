// A process plays each run, so that a run can be stopped at any moment, a crash is one failure, and
// the programs of a run end with it: the kernel kills them with their parent, however that ends.
//
// A run is started (a folder, a pipe, a child), heard (the child writes its result, as JSON, and
// ends), and over. start() begins a run, tend() hears those that play and finishes what has ended;
// both are called in turn until nothing plays and nothing is left to start. After that come the
// ways it fails: a child that dies without a result, one that takes too long, and SIGINT or
// SIGTERM, after which those that play are abandoned and have no result.
#include "scenarios/runner/runs.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/folder.h"
#include "common/json.h"
#include "common/mem.h"
#include "scenarios/runner/play.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 256, PROGRESS_MS = 200 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signum) {
    (void)signum;
    interrupted = 1;
}

// Programs run elsewhere.
static int make_absolute(struct run *run, struct error *err) {
    char *absolute = file_absolute(run->dir);
    bool fits = strlen(absolute) < sizeof run->dir;
    if (fits) strcpy(run->dir, absolute);
    free(absolute);
    return fits ? 0 : error_set(err, "%.300s: its path from / on is too long", run->dir);
}

static int make_folder(struct run *run, const struct runs_config *config, size_t number,
                       struct error *err) {
    if (config->keep == NULL) {
        int rc = folder_make(run->dir, sizeof run->dir, "scenario", err);
        return rc == 0 ? make_absolute(run, err) : rc;
    }
    const char *file = strrchr(run->scenario->path, '/');
    file = file == NULL ? run->scenario->path : file + 1;
    snprintf(run->dir, sizeof run->dir, "%.250s/%04zu-%.100s", config->keep, number + 1, file);
    if (mkdir(config->keep, 0755) != 0 && errno != EEXIST)
        return error_system(err, -errno, "%s", config->keep);
    folder_remove(run->dir); // of a round before
    if (mkdir(run->dir, 0755) != 0) return error_system(err, -errno, "%s", run->dir);
    return make_absolute(run, err);
}

// --- the child

static void play_and_exit(const struct run *run, const struct runs_config *config, int fd) {
    struct play_config play_config = {.scenario = run->scenario,
                                      .values = run->values,
                                      .seed = run->seed,
                                      .dir = run->dir,
                                      .binaries = config->binaries};
    cJSON *result = play(&play_config);
    char *text = cJSON_PrintUnformatted(result);
    size_t len = strlen(text);
    for (const char *at = text; len > 0;) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno != EINTR) break;
        if (n < 0) continue;
        at += n;
        len -= (size_t)n;
    }
    cJSON_free(text);
    cJSON_Delete(result);
    exit(0); // in order: what a build with a sanitizer or with coverage has to tell comes now
}

static int start(struct run *run, const struct runs_config *config, size_t number,
                 struct error *err) {
    int fds[2], rc = make_folder(run, config, number, err);
    if (rc != 0) return rc;
    if (pipe2(fds, O_CLOEXEC) != 0) return error_system(err, -errno, "pipe");
    run->started_us = clock_monotonic_us();
    fflush(NULL);
    pid_t runner = getpid();
    run->pid = fork();
    if (run->pid < 0) return error_system(err, -errno, "fork");
    if (run->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != runner) _exit(127); // it was killed meanwhile
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_DFL);
        play_and_exit(run, config, fds[1]);
    }
    close(fds[1]);
    run->fd = fds[0];
    return 0;
}

// --- the parent

static cJSON *make_result(const char *outcome, const char *text) {
    cJSON *result = cJSON_CreateObject();
    cJSON_AddStringToObject(result, "outcome", outcome);
    cJSON_AddStringToObject(result, "text", text);
    return result;
}

static cJSON *result_of(const struct run *run, int status) {
    struct error err;
    cJSON *result = NULL;
    char why[100];
    if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "the process that played this scenario was ended by signal %d\n",
                 WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        snprintf(why, sizeof why, "the process that played this scenario ended with exit code %d\n",
                 WEXITSTATUS(status));
    else if (json_parse(run->output.len == 0 ? "" : run->output.data, run->output.len, &result,
                        &err) == 0)
        return result;
    else
        snprintf(why, sizeof why, "the process that played this scenario wrote no result\n");
    return make_result("environment", why);
}

static void finish(struct run *run, const struct runs_config *config, const char *instead) {
    int status = 0;
    close(run->fd);
    waitpid(run->pid, &status, 0);
    run->pid = 0;
    run->over = true;
    run->seconds = (double)(clock_monotonic_us() - run->started_us) / 1e6;
    run->result = instead != NULL ? make_result("fail", instead) : result_of(run, status);
    buf_deinit(&run->output);
    if (config->keep == NULL) folder_remove(run->dir);
}

// Reads what there is. True: the child has said all.
static bool read_result(struct run *run) {
    buf_reserve(&run->output, 65536);
    ssize_t n = read(run->fd, run->output.data + run->output.len, 65536);
    if (n > 0) run->output.len += (size_t)n;
    run->output.data[run->output.len] = '\0';
    return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static void abandon(struct run *run, const struct runs_config *config) {
    kill(run->pid, SIGKILL); // and the kernel its programs
    close(run->fd);
    buf_deinit(&run->output); // of which only a part may have come
    waitpid(run->pid, NULL, 0);
    run->pid = 0;
    if (config->keep == NULL) folder_remove(run->dir);
}

struct crew { // the runs that play now
    struct run *list[JOBS_MAX];
    size_t count;
};

// Takes in what the crew has to say, and dismisses those that are done or have taken too long.
static bool tend(struct crew *crew, const struct runs_config *config, runs_progress progress,
                 void *arg) {
    struct pollfd fds[JOBS_MAX];
    bool failed = false;
    for (size_t i = 0; i < crew->count; i++)
        fds[i] = (struct pollfd){.fd = crew->list[i]->fd, .events = POLLIN};
    poll(fds, crew->count, PROGRESS_MS);
    for (size_t i = crew->count; i-- > 0;) {
        struct run *run = crew->list[i];
        bool done = fds[i].revents != 0 && read_result(run);
        bool late =
            !done && clock_monotonic_us() - run->started_us > config->timeout_s * 1000000ULL;
        if (!done && !late) continue;
        if (late) kill(run->pid, SIGKILL); // and the kernel its programs
        finish(run, config, late ? "it took longer than --timeout\n" : NULL);
        crew->list[i] = crew->list[--crew->count];
        failed = failed || strcmp(run_outcome(run), "pass") != 0;
        progress(arg, run, crew->count);
    }
    progress(arg, NULL, crew->count);
    return failed;
}

int runs_play(struct run *list, size_t count, const struct runs_config *config,
              runs_progress progress, void *arg, struct error *err) {
    struct crew crew = {0};
    struct sigaction action = {.sa_handler = on_interrupt};
    size_t next = 0;
    bool stop = false;
    int rc = 0;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (rc == 0 && !interrupted && (crew.count > 0 || (next < count && !stop))) {
        while (next < count && !stop && crew.count < config->jobs && crew.count < JOBS_MAX) {
            rc = start(&list[next], config, next, err);
            if (rc != 0) break;
            crew.list[crew.count++] = &list[next++];
        }
        bool failed = tend(&crew, config, progress, arg);
        stop = stop || (failed && config->fail_fast);
    }
    while (crew.count > 0)
        abandon(crew.list[--crew.count], config);
    return rc;
}
