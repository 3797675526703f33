// The reports on runs: JUnit XML, TAP, JSON, and the command that replays one.
#pragma once

#include "scenarios/runner/run.h"

// command: what played them, up to where paths follow: "build/scenario run".
struct outputs {
    const char *command;
    const struct run *list;
    size_t count;
    double seconds;
};

void output_junit(const struct outputs *o, struct buf *out);
void output_tap(const struct outputs *o, struct buf *out);
void output_json(const struct outputs *o, struct buf *out);
// "build/scenario run scenarios/x.yaml --seed 7", for a shell.
void output_replay(const char *command, const struct run *run, struct buf *out);
// A word for a shell's command line, quoted where it needs to be.
void output_word(const char *word, struct buf *out);
