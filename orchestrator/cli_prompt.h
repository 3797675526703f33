// What Ctrl-C and the keys after it mean to somebody who watches a job. Pure.
//
//     watching --Ctrl-C--> asking --c--> the job is cancelled, and watched on
//                            | +--w, Enter, Esc--> watching
//                            +----l, Ctrl-C----> left: the job goes on
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum cli_act {
    CLI_NOTHING,
    CLI_ASK,    // show the question
    CLI_GO_ON,  // as before: the question is to go
    CLI_CANCEL, // cancel the job, and watch its end
    CLI_LEAVE,  // end, and leave the job running
};

struct cli_prompt {
    bool has_keys;     // there is a terminal to ask at
    bool is_asking;    // the question is shown
    bool is_cancelled; // there is nothing to ask any more
};

enum cli_act cli_prompt_interrupt(struct cli_prompt *p);     // Ctrl-C
enum cli_act cli_prompt_key(struct cli_prompt *p, char key); // a byte from the terminal
extern const char cli_prompt_question[];
