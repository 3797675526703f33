#include "orchestrator/cli_console.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    COLUMNS = 80, // of a terminal that does not say
    SPARE =
        1 + 2, // the last, after which terminals differ; and ^C, which is echoed behind the bars
    COLUMNS_MIN = 20,
};

// --- life

static void fit(struct console *c) {
    struct winsize size = {0};
    const bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    c->columns = is_known ? size.ws_col : COLUMNS;
    if (c->columns < COLUMNS_MIN) c->columns = COLUMNS_MIN;
    c->style.width = c->columns - SPARE;
}

static void signals_of_console(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGWINCH);
}

int console_open(struct console *c, struct error *err) {
    const char *kind = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    const bool can_move = kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0;
    sigset_t set;
    *c = (struct console){.has_bars = can_move && isatty(STDOUT_FILENO) == 1};
    c->has_keys = c->has_bars && isatty(STDIN_FILENO) == 1;
    c->style.has_colour = c->has_bars && (no_colour == NULL || *no_colour == '\0');
    c->style.is_shortened = c->has_bars;
    if (c->has_bars) fit(c);
    signals_of_console(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    c->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return c->signals >= 0 ? 0 : error_system(err, -errno, "signals");
}

void console_close(struct console *c) {
    const struct buf nothing = {0};
    struct error ignored;
    sigset_t set;
    console_read_keys(c, false);
    console_write(c, &nothing, &nothing, &ignored);
    close(c->signals);
    signals_of_console(&set);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    buf_deinit(&c->drawn);
}

// --- output

static int write_all(const struct buf *text, struct error *err) {
    for (size_t done = 0; done < text->len;) {
        const ssize_t n = write(STDOUT_FILENO, text->data + done, text->len - done);
        if (n < 0 && errno != EINTR) return error_system(err, -errno, "stdout");
        if (n > 0) done += (size_t)n;
    }
    return 0;
}

// To the beginning of the first row of what is drawn, which was as wide as it is, and down from
// there nothing is left. A terminal that was made narrower since has broken it into more rows.
static void erase(const struct console *c, struct buf *out) {
    if (c->drawn.len == 0) return;
    const size_t rows = cli_bars_rows(c->drawn.data, c->columns);
    if (rows > 1) buf_addf(out, "\x1b[%zuA", rows - 1);
    buf_adds(out, "\r\x1b[J");
}

int console_write(struct console *c, const struct buf *lines, const struct buf *bars,
                  struct error *err) {
    struct buf out = {0};
    const bool is_same = bars->len == c->drawn.len &&
                         (bars->len == 0 || memcmp(bars->data, c->drawn.data, bars->len) == 0);
    if (lines->len == 0 && is_same) return 0;
    erase(c, &out);
    buf_add(&out, lines->data, lines->len);
    buf_clear(&c->drawn);
    if (c->has_bars) {
        buf_add(&out, bars->data, bars->len);
        buf_add(&c->drawn, bars->data, bars->len);
    }
    const int rc = write_all(&out, err);
    buf_deinit(&out);
    return rc;
}

// --- input

void console_read_keys(struct console *c, bool reads) {
    if (!c->has_keys || reads == c->reads_keys) return;
    if (reads) {
        if (tcgetattr(STDIN_FILENO, &c->before) != 0) return;
        struct termios raw = c->before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO); // Ctrl-C stays a signal
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
    } else {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &c->before);
    }
    c->reads_keys = reads;
}

static enum console_input of_signal(struct console *c, uint32_t signum) {
    if (signum == SIGINT) return CONSOLE_INTERRUPT;
    if (signum == SIGTERM) return CONSOLE_END;
    if (c->has_bars) fit(c);
    return CONSOLE_RESIZED;
}

enum console_input console_next(struct console *c, char *key) {
    struct signalfd_siginfo info;
    if (read(c->signals, &info, sizeof info) == (ssize_t)sizeof info)
        return of_signal(c, info.ssi_signo);
    struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
    if (!c->reads_keys || poll(&keys, 1, 0) != 1) return CONSOLE_NOTHING;
    const ssize_t n = read(STDIN_FILENO, key, 1);
    if (n == 1) return CONSOLE_KEY;
    // The terminal has gone.
    return n < 0 && errno == EINTR ? CONSOLE_NOTHING : CONSOLE_END;
}

bool console_wait(const struct console *c, int patience_ms) {
    struct pollfd signals = {.fd = c->signals, .events = POLLIN};
    return poll(&signals, 1, patience_ms) == 1;
}
