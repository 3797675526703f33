// The program scenario on files of a test's own, in a folder that goes with the test.
#pragma once

#include "tests/e2e/harness.h"

enum { PASSED, FAILED, INVALID, ENVIRONMENT, USAGE }; // exit codes of scenario

enum { PLAY_OUTPUT = 200000 };
extern char play_dir[], play_output[PLAY_OUTPUT]; // the folder; what ran last wrote

void play_set_up(void); // a checked fixture
void play_tear_down(void);

// The path of a file in the folder; valid until the fourth next call.
const char *play_path(const char *name);
const char *play_write(const char *name, const char *text);
// Runs scenario, or a shell's command line, and keeps what it wrote.
void play_run(int expected_code, const char *const *args);
int play_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
void play_said(const char *text); // it is in what was written

#define SMALL   "network: {sites: [earth], dev_types: {leaf: {count: 4, rack: 100}}}\n"
#define UPGRADE "  - request: {json: {version: 5.3.1}, expect: {report: {completed: 4}}}\n"
#define GOOD    "name: it passes\n" SMALL "steps:\n" UPGRADE
#define BAD                                                                                        \
    "name: it fails\n" SMALL "faults:\n"                                                           \
    "  - {match: {host: leaf01.earth}, on: install_os_version, effect: error, message: no "        \
    "space}\n"                                                                                     \
    "steps:\n"                                                                                     \
    "  - request:\n"                                                                               \
    "      json: {version: 5.3.1}\n"                                                               \
    "      expect: {report: {failed: [leaf00.earth], completed: ['leaf0[0-3].*', "                 \
    "leaf09.earth]}}\n"
