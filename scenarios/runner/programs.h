// The two programs of a scenario: their command lines, ports, folders, and end.
#pragma once

#include "common/buf.h"
#include "common/daemon.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum program_name { PROGRAM_SIMULATOR, PROGRAM_ORCHESTRATOR, PROGRAM_COUNT };
extern const char *const program_names[PROGRAM_COUNT];

enum { PROGRAM_PATIENCE_S = 30 }; // for a ready line, and for an orderly end

struct program {
    const char *binary;
    struct daemon daemon;
    pthread_t drain; // of its stdout, while it runs
    bool ending;     // it was sent a signal that ends it
};

struct programs {
    struct program list[PROGRAM_COUNT];
    const char *dir;       // for files and logs, from / on; the caller's
    const cJSON *scenario; // its options, network, policies and password; paths from / on
    uint64_t seed;
    unsigned changes;     // grows whenever a program comes or goes
    pthread_mutex_t lock; // of the fields above, which branches of a scenario read
};

void programs_init(struct programs *p, const char *dir, const char *const binaries[PROGRAM_COUNT],
                   const cJSON *scenario, uint64_t seed);

// The file that a program's stderr goes to, or what it writes to its stdout behind its ready line,
// or the orchestrator's log.
void programs_log_path(const struct programs *p, char path[512]);
void programs_stderr_path(const struct programs *p, enum program_name name, char path[512]);
void programs_stdout_path(const struct programs *p, enum program_name name, char path[512]);

// Only from the thread that lives as long as the programs: the kernel kills a program when the
// thread that started it ends, so that a runner that is killed leaves no program behind.
int programs_start(struct programs *p, enum program_name name, struct error *err);

void programs_url(struct programs *p, enum program_name name, char url[64]);
bool programs_running(struct programs *p, enum program_name name);
// True: both run and none was told to end. *changes is another where one has come or gone since.
bool programs_settled(struct programs *p, unsigned *changes);
int programs_signal(struct programs *p, enum program_name name, int signum, struct error *err);
// Waits for its end. An error tells of a signal, a sanitizer's report, another exit code.
int programs_await_end(struct programs *p, enum program_name name, int code, struct error *err);
int programs_kill(struct programs *p, enum program_name name, struct error *err);
