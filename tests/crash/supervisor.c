// An orchestrator that is started again whenever it was killed, on the port that it had: as service
// managers do it, and so that a scenario sees one program. Its first process is killed at the
// effect that CRASH_AT names, its second at the next ("17,5"), and so on; 0 kills none.
// CRASH_ORCHESTRATOR is the program, CRASH_EFFECTS the library that kills it (effects.c). Each kill
// adds a line to the file `kills`.
#include "common/daemon.h"
#include "common/mem.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_S = 30, KILLS_MAX = 10, ENTRY_MAX = 600 };

struct supervisor {
    const char **argv; // of the orchestrator
    const char *crash_at;
    struct daemon daemon;
    char listen[64];
    unsigned kills;
    bool is_ready;  // its ready line was passed on
    bool is_ending; // it was told to end
};

static const char *needed(const char *name) {
    const char *value = getenv(name);
    if (value != NULL) return value;
    fprintf(stderr, "supervisor: %s is not set\n", name);
    exit(2);
}

// The next number of CRASH_AT; 0 behind its end.
static unsigned long next_crash(struct supervisor *s) {
    char *end;
    unsigned long crash = strtoul(s->crash_at, &end, 10);
    s->crash_at = *end == ',' ? end + 1 : end;
    return crash;
}

static void note_kill(struct supervisor *s) {
    FILE *file = fopen("kills", "a");
    if (++s->kills > KILLS_MAX) exit(1);
    if (file == NULL) exit(1);
    fprintf(file, "%u\n", s->kills);
    fclose(file);
}

static void listen_again(struct supervisor *s) {
    snprintf(s->listen, sizeof s->listen, "%s", s->daemon.url + strlen("http://"));
    for (size_t i = 0; s->argv[i] != NULL; i++)
        if (strcmp(s->argv[i], "--listen") == 0) s->argv[i + 1] = s->listen;
}

// It may be killed before it is ready: then it is started again at once.
static void start(struct supervisor *s) {
    char preload[ENTRY_MAX], crash[ENTRY_MAX];
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", needed("CRASH_EFFECTS"));
    snprintf(crash, sizeof crash, "CRASH_EFFECT=%lu", next_crash(s));
    const char *const environment[] = {preload, crash, NULL};
    const struct daemon_command command = {.name = "orchestrator",
                                           .process = {.argv = s->argv, .environment = environment},
                                           .patience_s = PATIENCE_S};
    struct error err;
    while (daemon_start(&s->daemon, &command, &err) != 0) {
        note_kill(s);
        snprintf(crash, sizeof crash, "CRASH_EFFECT=%lu", next_crash(s));
    }
    listen_again(s);
    if (!s->is_ready) printf("%s\n", s->daemon.ready);
    fflush(stdout);
    s->is_ready = true;
}

// What its end means: another start, or this program's end.
static void ended(struct supervisor *s, int status) {
    if (WIFEXITED(status)) exit(WEXITSTATUS(status));
    if (WTERMSIG(status) != SIGKILL) raise(WTERMSIG(status));
    note_kill(s);
    if (s->is_ending) exit(0); // killed on its way to its end, it has it
    close(s->daemon.process.out);
    start(s);
}

int main(int argc, char **argv) {
    struct supervisor s = {.argv = mem_array((size_t)argc + 1, sizeof *s.argv),
                           .crash_at = needed("CRASH_AT")};
    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGCHLD);
    sigaddset(&awaited, SIGTERM);
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    s.argv[0] = needed("CRASH_ORCHESTRATOR");
    for (int i = 1; i < argc; i++)
        s.argv[i] = argv[i];
    start(&s);
    for (int signum, status;;) {
        sigwait(&awaited, &signum);
        if (signum == SIGTERM) {
            s.is_ending = true;
            kill(s.daemon.process.pid, SIGTERM);
        }
        if (waitpid(s.daemon.process.pid, &status, WNOHANG) > 0) ended(&s, status);
    }
}
