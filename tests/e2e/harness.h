// Real programs, on free ports of loopback, for the length of one test. Check runs each test in a
// process group of its own and ends the group with the test, whatever happens to it.
#pragma once

#include "common/folder.h"

#include <check.h>
#include <cjson/cJSON.h>
#include <stddef.h>
#include <sys/types.h>

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct program {
    pid_t pid;
    int out;         // its stdout
    char ready[512]; // its ready line
    char url[64];    // the URL in it
};

// Starts build/NAME and waits for its ready line.
struct program program_start(const char *name, const char *const *args);
// Starts it without waiting for anything; its stdout and stderr are read by nobody.
struct program program_spawn(const char *name, const char *const *args);
// Starts it, waits for its end and returns its exit code; what it wrote is in output (stdout and
// stderr), cut to size.
int program_run(const char *name, const char *const *args, char *output, size_t size);
void program_signal(const struct program *p, int signum);
int program_wait(struct program *p); // its exit code; the test fails where a signal ended it
int program_stop(struct program *p); // SIGTERM and program_wait

// Both programs of a test.
struct lab {
    struct program simulator, orchestrator;
    char devices[64]; // 127.0.0.1:PORT
    char admin[64];   // http://127.0.0.1:PORT
    char api[64];     // http://127.0.0.1:PORT
    char dir[64];     // a temporary folder
    char log[128];    // the orchestrator's log, at level debug
};

struct lab lab_start(const char *const *simulator_args, const char *const *orchestrator_args);
void lab_stop(struct lab *lab); // both end with 0, and the referee saw no violation
void lab_stop_unaudited(struct lab *lab);
void assert_logged(const struct lab *lab, const char *line); // or a part of one
// The simulator alone: the orchestrator's fields are empty.
struct lab bare_start(const char *const *simulator_args);
void bare_stop(struct lab *lab);

struct answer {
    long status; // 0: the connection failed
    char *headers;
    char *body;
};

// headers: "Name: value" each. body may be NULL.
struct answer http_send(const char *method, const char *base, const char *path,
                        const char *const *headers, const char *body);
struct answer http_get(const char *base, const char *path);
struct answer http_post(const char *base, const char *path, const char *json);
const char *answer_header(const struct answer *a, const char *name); // NULL: absent
cJSON *answer_json(const struct answer *a);
void answer_free(struct answer *a);

struct call; // a request in another thread
struct call *call_start(const char *base, const char *path, const char *json);
struct answer call_wait(struct call *call);

// What a POST to the simulator's /faults/ or a GET of it says; each fails the test unless it works.
void add_faults(const struct lab *lab, const char *json);
cJSON *get_json(const char *base, const char *path);
// Waits for the count-th event that fits; operation and phase as in GET /events/.
void await_event(const char *admin, const char *operation, const char *phase, int count);

void assert_json(const char *text, const char *expected);
void assert_answer(struct answer a, long status, const char *expected_json); // frees it
void assert_problem(struct answer a, long status, const char *field, const char *detail_part);
// The installs and logins of all devices are what they were: none.
void assert_untouched(const struct lab *lab);
size_t json_strings(const cJSON *array); // its length; the test fails unless all are strings
char *read_file(const char *path);

// A device's TCP port, driven by hand.
int dial(const char *address);
void send_text(int fd, const char *text);
char *read_line(int fd); // without its LF; NULL at the end of the stream
void assert_reply(int fd, const char *expected_json);
// All that still comes, as text to free. 0 where the stream ended, else the errno that ended it.
int read_rest(int fd, char **text);

// A port of 127.0.0.1 at which nobody answers; url gets its address.
int listen_silently(char url[64]);

// A path in the folder; valid until the eighth next call.
const char *folder_path(const char *dir, const char *name);
// A file that is its owner's alone, anew.
void write_private(const char *path, const char *text);
