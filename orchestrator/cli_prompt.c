#include "orchestrator/cli_prompt.h"

const char cli_prompt_question[] = "[c]ancel the job, [l]eave it running, or go on [w]atching? ";

enum cli_act cli_prompt_interrupt(struct cli_prompt *p) {
    if (!p->has_keys || p->is_asking || p->is_cancelled) return CLI_LEAVE;
    p->is_asking = true;
    return CLI_ASK;
}

enum cli_act cli_prompt_key(struct cli_prompt *p, char key) {
    enum { ESCAPE = 27 };
    if (!p->is_asking) return CLI_NOTHING;
    switch (key) {
    case 'c':
    case 'C':
        p->is_asking = false;
        p->is_cancelled = true;
        return CLI_CANCEL;
    case 'l':
    case 'L':
        return CLI_LEAVE;
    case 'w':
    case 'W':
    case '\n':
    case '\r':
    case ESCAPE:
        p->is_asking = false;
        return CLI_GO_ON;
    default:
        return CLI_NOTHING;
    }
}
