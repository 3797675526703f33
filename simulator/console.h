// One connection with the simulated devices (spec/acmeos.md): a line in, a wait and a reply out as
// data. Each call has two halves: what is found out at its arrival, and what is carried out and
// answered when its time is up. It is for the shell to wait in between, and to begin no other call
// of the console meanwhile.
#pragma once

#include "simulator/console_call.h"
#include "simulator/console_effects.h"
#include "simulator/world.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum console_state {
    CONSOLE_OPEN,
    CONSOLE_ENDING,    // no further request will begin
    CONSOLE_CONDEMNED, // its device went away: in the world's list until console_condemned()
    CONSOLE_GONE,      // the connection has ended; an install may run on
};

struct console {
    struct world *world;
    struct referee_client client; // the connection, and the installs that came over it
    enum console_state state;
    uint32_t device; // logged in to, or NETWORK_NO_DEVICE
    uint32_t login;  // the referee's number of it; 0: it does not count as logged in
    bool reads_on;   // see console_reads_on()
    struct console *previous, *next; // on the same device
    struct console *next_condemned;
    struct console_call call;
};

void console_init(struct console *s, struct world *w);

// What has become of a line: either a call runs, and after wait_us console_finish() has the reply;
// or it is answered already.
struct console_begun {
    bool runs;
    uint64_t wait_us;
    struct console_reply reply; // where none runs
};

// The replies are the caller's.
struct console_begun console_begin(struct console *s, uint64_t now_us, const char *line,
                                   size_t len);
struct console_reply console_finish(struct console *s, uint64_t now_us);
struct console_reply console_line_too_long(struct console *s);

// Of a login whose time is up: another connection that is logged in to its device, behind that one
// (NULL: the first). The shell may know by now that its client has gone. NULL: there is none.
struct console *console_rival(const struct console *s, const struct console *behind);

// The client has shut down its sending side, and no further request of it remains to begin. May be
// told again.
void console_no_more_requests(struct console *s, uint64_t now_us);

// The client has shut down its sending side, or has gone, and what remains of it to begin changes
// no device: to the referee it is not logged in any more, nor will be. May be told again.
void console_reads_on(struct console *s, uint64_t now_us);
// Whether a line of the text asks for an install.
bool console_asks_to_install(const char *text, size_t len);

// The connection has ended; may be told again. True: an install runs on, and console_finish() is
// still to be called, its reply for nobody. A console that is forgotten leaves nothing running:
// before world_reset().
bool console_drop(struct console *s, uint64_t now_us);
void console_forget(struct console *s, uint64_t now_us);

// The next console whose connection is to be reset, for its device went away: drop it. NULL: none
// is left. To be asked after every console_finish().
struct console *console_condemned(struct world *w);
