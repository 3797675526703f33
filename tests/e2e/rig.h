// A small network, and an orchestrator on a machine that goes wrong: its disk
// (tests/torture/disk.h), clock, threads and /proc (tests/torture/machine.h) fail and heal at any
// moment. What it must say then, and with which exit code it must end, stands in the row of the
// test in spec/machine_faults.tsv, of which spec/failures.md has a table.
#pragma once

#include "tests/e2e/harness.h"
#include "tests/torture/disk.h"
#include "tests/torture/machine.h"

enum { RIG_HOSTS = 6 }; // two groups of three

extern struct rig {
    char dir[64], store[96], log[96], errors[96]; // errors: what orchestrators write to stderr
    struct program simulator, orchestrator;
    char admin[64], api[64], id[64]; // id: of the job
    struct machine *machine;
    int disk;             // the file of the disk's mode
    char disk_folder[96]; // what lies on that disk
    bool has_full_stdout;
} rig;

void rig_set_up(void); // a checked fixture: the simulator runs
void rig_tear_down(void);

// The disk that fails holds the store, unless it is to hold the log.
void rig_fail_log(void);
void rig_disk(enum disk_mode mode); // from the next call on

// args are beside --listen, --inventory, --state and --log, and may say these again.
void rig_start(const char *const *args);
int rig_start_in_vain(const char *const *args); // its exit code
void rig_kill(void);
int rig_await_signal(void); // that ends it
int rig_end(void);          // SIGTERM; its exit code

// A job over all hosts, which is under way when it returns: the first install has begun.
void rig_begin(void);
void rig_await_over(void); // whatever else the service can do
// Waits until the service is ready and the job over. Each host has one outcome, which is true of
// its device, and no device was installed twice.
void rig_assert_done(size_t changed, size_t failed);
long rig_post(const char *key, char detail[512]); // another such job; the status

// What the row of the test says is on stderr, or in the log, by and by.
#define RIG_SAID() rig_said(__func__)
void rig_said(const char *test);
bool rig_has_said(const char *text); // a glob of a line
#define RIG_EXIT(code) rig_exit(__func__, code)
void rig_exit(const char *test, int code); // as the row says
// Whether each row of the suite has a test of these names, and each of these its row.
void rig_assert_rows(const char *suite, const char *const *tests);
