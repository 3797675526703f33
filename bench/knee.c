#include "bench/knee.h"

// Names come from the network: a quote in them is written twice, and nothing else has a meaning
// there.
static void add_label(struct buf *script, const char *text, const struct knee *knee,
                      const char *where) {
    buf_adds(script, "set label '");
    for (; *text != '\0'; text++) {
        if (*text == '\'') buf_adds(script, "'");
        buf_add(script, *text == '\n' ? " " : text, 1);
    }
    buf_addf(script, "' at %g, graph %g %s noenhanced\n", knee->workers, knee->height, where);
}

void knee_write(struct buf *script, const struct knee *knee) {
    buf_addf(script, "set arrow from %g, graph 0 to %g, graph 1 nohead dashtype 3\n", knee->workers,
             knee->workers);
    add_label(script, knee->left, knee, "right offset -0.7,0");
    add_label(script, knee->right, knee, "left offset 0.7,0");
}
