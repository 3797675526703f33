// The terminal of somebody who watches a job: lines that stay, below them bars that are redrawn in
// place, Ctrl-C, keys, and its size. Where stdout is no terminal there are lines alone.
#pragma once

#include "orchestrator/cli_bars.h"

#include <termios.h>

enum console_input {
    CONSOLE_NOTHING,
    CONSOLE_INTERRUPT,
    CONSOLE_END,
    CONSOLE_RESIZED,
    CONSOLE_KEY
};

struct console {
    bool has_bars; // stdout is a terminal that can move its cursor
    bool has_keys; // ... and stdin one, too
    struct cli_style style;
    size_t columns; // of the terminal; the style leaves some free
    int signals;    // what to wait at for Ctrl-C
    bool reads_keys;
    struct termios before; // of the terminal, while it reads keys
    struct buf drawn;      // the bars as they stand
};

// From here on SIGINT, SIGTERM and a new size come as input.
int console_open(struct console *c, struct error *err);
// The bars go; the signals are as before.
void console_close(struct console *c);

// Writes lines, each whole, above the bars, which stay where they are for as long as they are the
// same. An error: nobody reads what is written.
int console_write(struct console *c, const struct buf *lines, const struct buf *bars,
                  struct error *err);

// What has come in, one at a time. Keys come, at once and unseen, only while they are read; what
// was typed before is dropped.
enum console_input console_next(struct console *c, char *key);
void console_read_keys(struct console *c, bool reads);
// Waits for a signal, so long at most; true: one has come.
bool console_wait(const struct console *c, int patience_ms);
